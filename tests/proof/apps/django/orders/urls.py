from django.urls import path

from . import views

urlpatterns = [
    path("orders", views.orders),
    path("session", views.session),
    path("reports/monthly", views.monthly),
]
