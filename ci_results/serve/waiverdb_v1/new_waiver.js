"use strict";
(() => {
  const form = document.getElementById("new-waiver-form");
  const result = document.getElementById("waiver-result");
  const problem = document.getElementById("other-error");

  const show = (where, text) => {
    result.hidden = problem.hidden = true;
    where.textContent = text;
    where.hidden = false;
  };

  const told = (said, status) => {
    if (said && typeof said.message === "string") return said.message;
    if (said && Array.isArray(said.validation_error)) {
      return said.validation_error.map((each) => `${each.loc.join(".")}: ${each.msg}`).join("; ");
    }
    return `The server answered with status ${status}.`;
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = {};
    for (const [name, value] of new FormData(form)) if (value && name !== "claimed") body[name] = value;
    const headers = { "Content-Type": "application/json" };
    const name = form.elements.claimed ? form.elements.claimed.value.trim() : "";
    if (name) {
      const bytes = new TextEncoder().encode(`${name}:`);
      headers.Authorization = `Basic ${btoa(String.fromCharCode(...bytes))}`;
    }
    try {
      const answer = await fetch(form.getAttribute("action"), { method: "POST", headers, body: JSON.stringify(body) });
      const said = await answer.json().catch(() => null);
      if (answer.status === 201) show(result, `New waiver created. ID: ${said.id}`);
      else show(problem, told(said, answer.status));
    } catch (error) {
      show(problem, `The server cannot be reached: ${error}`);
    }
  });
})();
