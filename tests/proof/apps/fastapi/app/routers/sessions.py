from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import get_session

router = APIRouter(prefix="/session", tags=["sessions"])


class Credentials(BaseModel):
    email: str
    password: str


@router.post("", status_code=201)
async def sign_in(
    credentials: Credentials, session: Annotated[AsyncSession, Depends(get_session)]
) -> dict[str, str | None]:
    statement = text("SELECT sign_in(:email, :password)")
    token: str | None = await session.scalar(statement, credentials.model_dump())
    return {"token": token}
