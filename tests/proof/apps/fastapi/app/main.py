from fastapi import FastAPI

from app.routers import orders, reports, sessions

app = FastAPI(title="Orders")

app.include_router(orders.router)
app.include_router(reports.router)
app.include_router(sessions.router)


@app.get("/")
async def index() -> dict[str, str]:
    return {"name": "orders"}
