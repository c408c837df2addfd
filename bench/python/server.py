"""FastAPI, python-jose and SQLAlchemy: the usual tutorial's design, one worker, on uvloop and httptools."""

import os
import socket
import sys
import threading
from datetime import datetime, timezone

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import JWTError, jwt
from sqlalchemy import Boolean, DateTime, ForeignKey, String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

SECRET, ISSUER = os.environ["BENCH_SECRET"], os.environ["BENCH_ISSUER"]
engine = create_engine(
    f"postgresql+psycopg://{os.environ['PGUSER']}@/{os.environ['PGDATABASE']}?host={os.environ['PGHOST']}",
    pool_size=8,
    max_overflow=8,
)
new_session = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    id: Mapped[str] = mapped_column(String, primary_key=True)
    name: Mapped[str] = mapped_column(String)
    email: Mapped[str] = mapped_column(String, unique=True)
    role: Mapped[str | None] = mapped_column(String)
    banned: Mapped[bool | None] = mapped_column(Boolean)


class UserSession(Base):
    __tablename__ = "session"
    id: Mapped[str] = mapped_column(String, primary_key=True)
    user_id: Mapped[str] = mapped_column("userId", ForeignKey("user.id"))
    expires_at: Mapped[datetime] = mapped_column("expiresAt", DateTime(timezone=True))


def database():
    session = new_session()
    try:
        yield session
    finally:
        session.close()


bearer = HTTPBearer()


def current_user(
    credentials: HTTPAuthorizationCredentials = Depends(bearer), db: Session = Depends(database)
) -> User:
    try:
        claims = jwt.decode(credentials.credentials, SECRET, algorithms=["HS256"], issuer=ISSUER, audience=ISSUER)
    except JWTError as error:
        raise HTTPException(401) from error
    user = db.scalars(select(User).where(User.email == claims["email"])).first()
    if user is None or user.banned:
        raise HTTPException(404)
    now = datetime.now(timezone.utc)
    active = select(UserSession).where(UserSession.user_id == user.id, UserSession.expires_at > now)
    if db.scalars(active.order_by(UserSession.expires_at.desc())).first() is None:
        raise HTTPException(404)
    return user


app = FastAPI()


@app.post("/support/chatkit")
async def chatkit(request: Request, user: User = Depends(current_user)):
    await request.body()
    return JSONResponse({"data": [], "has_more": False})


def end_with_standard_input():
    sys.stdin.read()
    os._exit(0)


listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
threading.Thread(target=end_with_standard_input, daemon=True).start()
print(f"listening 127.0.0.1:{listener.getsockname()[1]}", flush=True)
config = uvicorn.Config(app, loop="uvloop", http="httptools", log_level="warning", access_log=False)
uvicorn.Server(config).run(sockets=[listener])
