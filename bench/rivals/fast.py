"""Posts by FastAPI and SQLAlchemy's asyncio on asyncpg, with OAuth2 scopes in a JWT, as their guides show them.

It reads the tables of the Django project beside it.
"""

import os
from collections.abc import AsyncIterator
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SECRET, ALGORITHM = os.environ["SECRET_KEY"], "HS256"
SCOPES = {"posts:read": "Read posts.", "posts:write": "Write posts."}

engine = create_async_engine(os.environ["DATABASE_URL"].replace("postgres://", "postgresql+asyncpg://"))
sessions = async_sessionmaker(engine, expire_on_commit=False)
scheme = OAuth2PasswordBearer(tokenUrl="token", scopes=SCOPES)
app = FastAPI()


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "auth_user"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    is_active: Mapped[bool]


class Post(Base):
    __tablename__ = "site_post"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]
    title: Mapped[str]
    body: Mapped[str]


class PostOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    user_id: int
    title: str
    body: str


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session)]


async def current_user(scopes: SecurityScopes, token: Annotated[str, Depends(scheme)], db: Session) -> User:
    try:
        claims = jwt.decode(token, SECRET, algorithms=[ALGORITHM])
    except jwt.InvalidTokenError:
        raise HTTPException(401, "The token is not valid.") from None
    user: User | None = (await db.execute(select(User).where(User.username == claims["sub"]))).scalar_one_or_none()
    if user is None or not user.is_active:
        raise HTTPException(401, "There is no such user.")
    if not set(scopes.scopes) <= set(claims["scopes"]):
        raise HTTPException(403, "Not enough permissions.")
    return user


Reader = Annotated[User, Security(current_user, scopes=["posts:read"])]


@app.get("/posts/", response_model=list[PostOut])
async def list_posts(_: Reader, db: Session, before: int | None = None, limit: int = 100) -> Any:
    query = select(Post).order_by(Post.id.desc()).limit(min(limit, 100))
    if before is not None:
        query = query.where(Post.id < before)
    return (await db.execute(query)).scalars().all()


@app.get("/posts/{pk}/", response_model=PostOut)
async def get_post(pk: int, _: Reader, db: Session) -> Any:
    post = await db.get(Post, pk)
    if post is None:
        raise HTTPException(404, "There is no such post.")
    return post
