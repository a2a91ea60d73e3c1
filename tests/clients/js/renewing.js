"use strict";
// A page without a browser: it says what happens to it, line by line, until its input ends.
const toastkit = require("../../../toastkit_flask/static/toastkit.js");

const [base, user] = process.argv.slice(2);
const say = (what) => console.log(JSON.stringify(what));
toastkit.connect({
  base,
  render: false,
  headers: { "X-User": user },
  onToast: (toast) => say({ toast: toast.title }),
  onState: (status) => say({ state: status.state, session: status.sessionId }),
  onFrame: (frame, sent) => say({ [sent ? "sent" : "heard"]: frame.type }),
});
process.stdin.on("end", () => process.exit(0)).resume();
