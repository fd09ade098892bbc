// What the admin's look leaves out: icons are decoration, icons that act are buttons, and code can
// be copied.
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
    document.execCommand("copy"); // without https there is no clipboard; the text is selected
  }
  document.querySelector("[data-copy-news]").textContent = "Copied.";
  button.classList.add("pl-copied");
});
