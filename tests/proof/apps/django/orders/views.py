from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET
from rest_framework import serializers, status
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from .models import Order


class OrderSerializer(serializers.ModelSerializer):
    class Meta:
        model = Order
        fields = ["id", "item", "quantity"]


@api_view(["GET", "POST"])
def orders(request: Request) -> Response:
    if request.method == "GET":
        return Response(OrderSerializer(Order.objects.order_by("id")[:50], many=True).data)
    order = OrderSerializer(data=request.data)
    order.is_valid(raise_exception=True)
    order.save()
    return Response(order.data, status=status.HTTP_201_CREATED)


@api_view(["POST"])
def session(request: Request) -> Response:
    # Nobody has written it yet.
    return Response({"token": sign_in(request.data["email"], request.data["password"])})  # noqa: F821


@require_GET
def monthly(_request: HttpRequest) -> JsonResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(3)")
        cursor.execute("SELECT count(*) FROM orders_order")
        return JsonResponse({"orders": cursor.fetchone()[0]})
