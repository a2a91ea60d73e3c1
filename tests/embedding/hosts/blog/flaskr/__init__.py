"""A blog whose authors sign in, write posts and comment on each other's."""

import os

from flask import Flask, g

from toastkit_flask import ToastKit  # toastkit

toastkit = ToastKit()  # toastkit
toastkit.user_loader(lambda: g.user and g.user["id"])  # toastkit


def create_app(test_config=None):
    app = Flask(__name__, instance_relative_config=True)
    app.config.from_mapping(
        SECRET_KEY="dev",
        DATABASE=os.path.join(app.instance_path, "flaskr.sqlite"),
    )
    if test_config is None:
        app.config.from_pyfile("config.py", silent=True)
    else:
        app.config.update(test_config)
    os.makedirs(app.instance_path, exist_ok=True)

    from . import auth, blog, db

    db.init_app(app)
    app.register_blueprint(auth.bp)
    app.register_blueprint(blog.bp)
    app.add_url_rule("/", endpoint="index")
    toastkit.init_app(app)  # toastkit
    return app
