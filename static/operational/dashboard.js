// htmx refreshes the dashboard (see _live.html). This script shows when it last did and when it could
// not, keeps the reader's position, and leaves hidden and paused pages alone.
"use strict";

(() => {
  const updated = document.getElementById("updated");
  const problem = document.getElementById("refresh-problem");
  const announcement = document.getElementById("refresh-announcement");
  const pause = document.getElementById("pause");
  const login = document.getElementById("refresh").dataset.login;
  let lastResponse = null;
  let scrolled = {}; // how far tables are scrolled, by id

  const clock = () => new Date().toLocaleTimeString("en-GB");
  const isLive = (event) => event.detail.elt.id === "live";
  const isNow = (event) => event.detail.elt.id === "now";
  const score = () => document.querySelector("[data-score]")?.dataset.score;
  let lastScore = score();

  updated.textContent = clock();
  pause.hidden = false;
  pause.addEventListener("click", () => {
    const paused = pause.getAttribute("aria-pressed") !== "true";
    pause.setAttribute("aria-pressed", paused);
    if (!paused) htmx.trigger("#live", "visibilitychange");
  });

  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (!isLive(event) && !isNow(event)) return;
    if (document.hidden || pause.getAttribute("aria-pressed") === "true") event.preventDefault();
  });

  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (!isLive(event) || event.detail.xhr.status !== 200) return;
    const { serverResponse } = event.detail;
    event.detail.shouldSwap = serverResponse !== lastResponse; // unchanged: keep selection and focus
    lastResponse = serverResponse;
    for (const table of document.querySelectorAll("#live .pl-scroll[id]")) {
      scrolled[table.id] = table.scrollLeft;
    }
    updated.textContent = clock();
    problem.textContent = "";
    delete problem.dataset.status;
  });

  document.body.addEventListener("htmx:afterSettle", () => {
    for (const [id, left] of Object.entries(scrolled)) {
      document.getElementById(id)?.scrollTo({ left, behavior: "instant" });
    }
    if (score() !== lastScore) announcement.textContent = `The alignment score is now ${score()}.`;
    lastScore = score();
  });

  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.body.addEventListener(failure, (event) => {
      if (isLive(event)) report(event.detail.xhr.status);
    });
  }

  function report(status) {
    if (problem.dataset.status === String(status)) return; // already reported: do not announce it every minute
    problem.dataset.status = status;
    problem.textContent =
      {
        401: "You are logged out; the numbers are no longer updated. ",
        403: "Your account no longer has access to this page.",
      }[status] ??
      `No refresh since ${updated.textContent}: the numbers are from then. Still trying.`;
    if (status !== 401) return;
    const link = document.createElement("a");
    link.href = login;
    link.textContent = "Log in again";
    problem.append(link);
  }
})();
