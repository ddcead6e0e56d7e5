from django.test import SimpleTestCase

from orders.views import OrderSerializer


class OrderTest(SimpleTestCase):
    def test_quantities_are_positive(self) -> None:
        self.assertFalse(OrderSerializer(data={"item": "tea", "quantity": -1}).is_valid())
