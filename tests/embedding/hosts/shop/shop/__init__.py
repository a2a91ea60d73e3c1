"""A shop: customers order, staff ship."""

import os

from flask import Flask

from .extensions import (
    csrf,
    db,
    login_manager,
    migrate,
    toastkit,  # toastkit
)


def create_app(**config):
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY="change me",
        SQLALCHEMY_DATABASE_URI=os.environ.get("DATABASE_URL", "sqlite:///shop.db"),
    )
    app.config.update(config)

    db.init_app(app)
    migrate.init_app(app, db)
    login_manager.init_app(app)
    csrf.init_app(app)
    toastkit.init_app(app)  # toastkit

    from .views import shop

    app.register_blueprint(shop)
    return app
