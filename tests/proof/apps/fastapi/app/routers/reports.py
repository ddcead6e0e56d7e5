from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import get_session

router = APIRouter(prefix="/reports", tags=["reports"])


@router.get("/monthly")
async def monthly(
    session: Annotated[AsyncSession, Depends(get_session)],
) -> dict[str, int]:
    """Takes its time."""
    orders = await session.scalar(text("SELECT count(*) FROM orders, pg_sleep(3)"))
    return {"orders": orders or 0}
