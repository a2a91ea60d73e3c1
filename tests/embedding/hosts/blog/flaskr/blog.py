from flask import Blueprint, abort, g, redirect, render_template, request, url_for

from toastkit import publish_toast  # toastkit

from .auth import login_required
from .db import get_db

bp = Blueprint("blog", __name__)


@bp.route("/")
def index():
    posts = "SELECT p.id, title, username FROM post p JOIN user u ON p.author_id = u.id"
    return render_template("blog/index.html", posts=get_db().execute(posts).fetchall())


def get_post(id):
    post = get_db().execute("SELECT * FROM post WHERE id = ?", (id,)).fetchone()
    if post is None:
        abort(404, f"Post id {id} doesn't exist.")
    return post


@bp.route("/create", methods=("GET", "POST"))
@login_required
def create():
    if request.method == "POST":
        db = get_db()
        db.execute(
            "INSERT INTO post (title, body, author_id) VALUES (?, ?, ?)",
            (request.form["title"], request.form["body"], g.user["id"]),
        )
        db.commit()
        return redirect(url_for("index"))
    return render_template("blog/create.html")


@bp.route("/<int:id>")
def post(id):
    comments = (
        "SELECT body, username FROM comment c JOIN user u ON author_id = u.id WHERE post_id = ?"
    )
    rows = get_db().execute(comments, (id,)).fetchall()
    return render_template("blog/post.html", post=get_post(id), comments=rows)


@bp.post("/<int:id>/comment")
@login_required
def comment(id):
    db, post = get_db(), get_post(id)
    db.execute(
        "INSERT INTO comment (post_id, author_id, body) VALUES (?, ?, ?)",
        (id, g.user["id"], request.form["body"]),
    )
    db.commit()
    publish_toast(post["author_id"], f"New comment on {post['title']}")  # toastkit
    return redirect(url_for("blog.post", id=id))
