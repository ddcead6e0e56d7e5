from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import get_session
from app.models import Order

router = APIRouter(prefix="/orders", tags=["orders"])

Session = Annotated[AsyncSession, Depends(get_session)]


class NewOrder(BaseModel):
    customer_id: int
    item: str = Field(min_length=1)
    quantity: int = Field(gt=0)


class TakenOrder(NewOrder):
    id: int


@router.get("")
async def list_orders(session: Session) -> list[TakenOrder]:
    orders = await session.scalars(select(Order).order_by(Order.id.desc()).limit(50))
    return [TakenOrder.model_validate(order, from_attributes=True) for order in orders]


@router.post("", status_code=201)
async def take_order(new: NewOrder, session: Session) -> TakenOrder:
    order = Order(**new.model_dump())
    session.add(order)
    await session.commit()
    return TakenOrder.model_validate(order, from_attributes=True)
