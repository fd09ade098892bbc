// Alpine's CSP build reads expressions without eval, but neither globals nor several statements.
// What the admin theme's attributes use of those is given to them here.
"use strict";

const ENTER = "x-on:keydown.enter.prevent";

document.addEventListener("alpine:init", () => {
  for (const component of [searchForm, searchDropdown, searchCommand]) {
    Alpine.data(component.name, component);
  }
  Alpine.data("theme", (preset) => ({
    ...theme(preset),
    getCurrentTab: () => getCurrentTab(),
    localStorage: { getItem: (name) => localStorage.getItem(name) },
    moveRecords: (event) => moveRecords(event),
    sortRecords: (event) => sortRecords(event),
    rememberSidebar: (isOpen) => localStorage.setItem("sidebarDesktopOpen", isOpen ? "1" : "0"),
    window: { location: { pathname: location.pathname, search: location.search } },
  }));
  const page = document.body;
  page.setAttribute("x-effect", "rememberSidebar(sidebarDesktopOpen)");
  keepFirstStatement(page, "x-init");
  for (const icon of document.querySelectorAll("[x-on\\:click*='localStorage']")) {
    keepFirstStatement(icon, "x-on:click");
  }
  const search = document.getElementById("search-input-command");
  const enter = search?.getAttribute(ENTER).replace(/^if \((.*?)\) (.*)$/, "$1 && $2");
  search?.setAttribute(ENTER, enter);
});

function keepFirstStatement(element, attribute) {
  element.setAttribute(attribute, element.getAttribute(attribute).split(";")[0]);
}
