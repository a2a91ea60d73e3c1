"""Exports that take a while: made by a Celery worker, or in a thread when they are small."""

import os
import threading

from celery import Celery, Task, shared_task
from flask import Flask, redirect, render_template, request, session

from toastkit import publish_toast  # toastkit
from toastkit_flask import ToastKit  # toastkit


def celery_init_app(app):
    class FlaskTask(Task):
        def __call__(self, *args, **kwargs):
            with app.app_context():
                return self.run(*args, **kwargs)

    celery_app = Celery(app.name, task_cls=FlaskTask)
    celery_app.config_from_object(app.config["CELERY"])
    celery_app.set_default()
    app.extensions["celery"] = celery_app
    return celery_app


def make_export(folder, name, user):
    with open(os.path.join(folder, f"{name}.csv"), "w") as file:
        file.write(f"made for,{user}\n")
    publish_toast(user, f"Your export {name} is ready")  # toastkit


@shared_task(ignore_result=True)
def export(folder, name, user):
    make_export(folder, name, user)


def create_app(**config):
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY="change me",
        FOLDER=os.environ.get("EXPORTS", "exports"),
        CELERY={
            "broker_url": "filesystem://",
            "broker_transport_options": {
                "data_folder_in": os.environ.get("QUEUE", "queue"),
                "data_folder_out": os.environ.get("QUEUE", "queue"),
                "control_folder": os.environ.get("QUEUE", "queue"),
            },
            "task_ignore_result": True,
        },
    )
    app.config.from_prefixed_env()
    app.config.update(config)
    celery_init_app(app)
    ToastKit(app).user_loader(lambda: session.get("user"))  # toastkit

    @app.get("/")
    def index():
        return render_template("index.html", files=sorted(os.listdir(app.config["FOLDER"])))

    @app.post("/login")
    def login():
        session["user"] = request.form["user"]
        return redirect("/")

    @app.post("/exports/<name>")
    def begin(name):
        export.delay(app.config["FOLDER"], name, session["user"])
        return redirect("/")

    @app.post("/small-exports/<name>")
    def begin_small(name):
        job = (app.config["FOLDER"], name, session["user"])
        threading.Thread(target=make_export, args=job).start()
        return redirect("/")

    return app
