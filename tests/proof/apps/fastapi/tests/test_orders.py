import pytest
from pydantic import ValidationError

from app.routers.orders import NewOrder


def test_an_order_needs_a_customer_an_item_and_a_quantity() -> None:
    assert NewOrder(customer_id=1, item="tea", quantity=2).quantity == 2
    with pytest.raises(ValidationError):
        NewOrder(customer_id=1, item="tea", quantity=0)
