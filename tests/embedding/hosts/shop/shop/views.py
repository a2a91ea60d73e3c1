from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_login import current_user, login_required, login_user, logout_user

from toastkit import publish_toast  # toastkit

from .extensions import db
from .forms import LoginForm, OrderForm
from .models import Order, User

shop = Blueprint("shop", __name__)


@shop.route("/login", methods=["GET", "POST"])
def login():
    form = LoginForm()
    if form.validate_on_submit():
        user = db.session.scalar(db.select(User).filter_by(email=form.email.data))
        if user is not None and user.check_password(form.password.data):
            login_user(user)
            return redirect(url_for("shop.orders"))
        flash("Wrong e-mail or password")
    return render_template("login.html", form=form)


@shop.post("/logout")
@login_required
def logout():
    logout_user()
    return redirect(url_for("shop.login"))


@shop.route("/", methods=["GET", "POST"])
@login_required
def orders():
    form = OrderForm()
    if form.validate_on_submit():
        db.session.add(Order(user_id=current_user.id, item=form.item.data))
        db.session.commit()
        return redirect(url_for("shop.orders"))
    mine = db.session.scalars(db.select(Order).filter_by(user_id=current_user.id))
    return render_template("orders.html", form=form, orders=mine)


@shop.post("/orders/<int:id>/ship")
@login_required
def ship(id):
    if not current_user.is_staff:
        abort(403)
    order = db.get_or_404(Order, id)
    order.state = "shipped"
    publish_toast(order.user_id, f"Your {order.item} is on its way")  # toastkit
    db.session.commit()
    return redirect(url_for("shop.orders"))
