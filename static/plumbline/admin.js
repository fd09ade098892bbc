// What the admin theme leaves out: decorative icons are hidden from screen readers, clickable icons
// are buttons, and code can be copied.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const icon of document.querySelectorAll(".material-symbols-outlined")) {
    const name = icon.textContent.trim();
    if (name === "dock_to_right" || (name === "close" && icon.closest("#nav-sidebar"))) {
      asButton(icon, name === "close" ? "Close the menu" : "Menu");
    } else {
      icon.setAttribute("aria-hidden", "true");
    }
  }
  const user = document.querySelector("#nav-sidebar [x-on\\:click*='openUserLinks = !']");
  if (user) asButton(user, "Account and theme");
  for (const link of document.querySelectorAll("a[x-on\\:click]:not([href])")) asButton(link);
  document.querySelector("#nav-sidebar a.active")?.setAttribute("aria-current", "page");
  document.getElementById("nav-sidebar-inner")?.setAttribute("aria-label", "Plumbline");
});

function asButton(element, name) {
  element.setAttribute("role", "button");
  element.tabIndex = 0;
  if (name) element.setAttribute("aria-label", name);
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    element.click();
  });
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const code = document.getElementById(button.dataset.copy);
  getSelection().selectAllChildren(code);
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    document.execCommand("copy"); // no clipboard without https; the text is already selected
  }
  document.querySelector("[data-copy-status]").textContent = "Copied.";
  button.classList.add("pl-copied");
});
