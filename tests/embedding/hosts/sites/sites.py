"""A club: members on the site, staff on a site of their own below /staff. Two apps, one process."""

import os

from flask import Flask, redirect, render_template, request, session
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from toastkit_flask import ToastKit  # toastkit

FOLDER = os.environ.get("CLUB_FOLDER", os.path.dirname(__file__))


def make_site(name, letters):
    app = Flask(name, root_path=os.path.dirname(__file__), instance_path=FOLDER)
    app.config["SECRET_KEY"] = f"change me, {name}"
    app.config["SESSION_COOKIE_NAME"] = name
    app.config["TOASTKIT_DATABASE_URL"] = f"sqlite:///{FOLDER}/toasts-{name}.db"  # toastkit
    ToastKit(app).user_loader(lambda: session.get("number"))  # toastkit

    @app.get("/")
    def index():
        return render_template("index.html", name=name, letters=letters)

    @app.post("/login")
    def login():
        session["number"] = int(request.form["number"])
        return redirect(request.script_root + "/")

    return app


to_members, to_staff = [], []
members = make_site("members", to_members)
staff = make_site("staff", to_staff)


def write(app, letters, number, text):
    letters.append(f"{number}: {text}")
    app.extensions["toastkit"].kit.publish_toast(number, text)  # toastkit


@members.post("/ask")
def ask():
    write(staff, to_staff, 1, f"A question of member {session['number']}")
    return redirect("/")


@staff.post("/answer/<int:number>")
def answer(number):
    write(members, to_members, number, "You have an answer")
    return redirect(request.script_root + "/")


site = DispatcherMiddleware(members, {"/staff": staff})
