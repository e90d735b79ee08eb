// The data explorer's page: rows of conditions, the parts a choice opens, copying, the states of
// waiting and failing. The form works without it; htmx sends it, the server answers with a page.
const root = () => document.getElementById("explore");
const english = document.documentElement.lang.startsWith("en");
const say = (text) => { const line = document.querySelector("[data-explore-said]"); if (line) line.textContent = text; };

function rows(form) {
  const holder = form.querySelector("[data-explore-rows]");
  const add = form.querySelector("[data-explore-add]");
  if (!holder || !add) return;
  add.hidden = false;
  const blank = holder.lastElementChild.cloneNode(true);
  const dress = (row) => {
    const drop = row.querySelector("[data-explore-drop]");
    drop.hidden = false;
    drop.addEventListener("click", () => {
      if (holder.children.length > 1) row.remove();
      else for (const one of row.querySelectorAll("select, input")) one.value = one.name === "co" ? "==" : "";
      form.dispatchEvent(new Event("change", { bubbles: true }));
      add.focus();
    });
  };
  for (const row of holder.children) dress(row);
  add.addEventListener("click", () => {
    if (holder.children.length >= 12) return;
    const row = blank.cloneNode(true);
    row.querySelector("legend").textContent += ` ${holder.children.length + 1}`;
    holder.append(row);
    dress(row);
    row.querySelector("select").focus();
  });
}

// Fields that belong to one choice of a select are there only while it is chosen.
function opens(select, parts) {
  const show = () => parts(select.value).forEach(([node, there]) => { if (node) node.hidden = !there; });
  select.addEventListener("change", show);
  show();
}

function place(form) {
  const box = form.querySelector("[data-explore-place]");
  const draw = form.querySelector("[data-draw]");
  opens(form.elements.place, (kind) => ["circle", "polygon"].map((one) => [form.querySelector(`[data-place-part="${one}"]`), one === kind]));
  const start = () => {
    if (!box.open || draw.dataset.ready) return;
    draw.dataset.ready = "1";
    draw.hidden = false;
    import("./explore-draw.js").then((m) => m.start(form, draw));
  };
  box.addEventListener("toggle", start);
  start();
}

function copies(event) {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = button.closest(".explore__call")?.querySelector("pre")?.textContent ?? "";
  const done = () => { say(english ? "Copied." : "복사했습니다."); button.dataset.copied = "1"; setTimeout(() => delete button.dataset.copied, 1500); };
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, () => select(button)); else select(button);
}

// Where a page may not write to the clipboard the text is marked, ready to be copied by hand.
function select(button) {
  const range = document.createRange();
  range.selectNodeContents(button.closest(".explore__call").querySelector("pre"));
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

function begin() {
  const form = document.getElementById("explore-form");
  if (!form || form.dataset.begun) return;
  form.dataset.begun = "1";
  rows(form);
  place(form);
  opens(form.elements.span, (span) => [[form.querySelector("[data-explore-own]"), span === "own"]]);
  if (root().querySelector("[data-lines]")) import("./explore-chart.js").then((m) => m.draw(root(), form));
}

addEventListener("click", copies);
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target?.id === "explore") { root().setAttribute("aria-busy", "true"); say(english ? "Asking …" : "묻는 중입니다."); }
});
document.addEventListener("htmx:afterSettle", () => {
  const fresh = document.getElementById("explore-form");
  if (!fresh || fresh.dataset.begun) return;
  begin();
  say(document.querySelector("[data-explore-count]")?.textContent ?? document.querySelector("#explore-answer [role=alert]")?.textContent ?? "");
});
for (const fault of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(fault, (event) => {
    const told = document.querySelector("[data-explore-failed]");
    const target = event.detail.target?.id === "explore" ? document.getElementById("explore-answer") : event.detail.target;
    root()?.removeAttribute("aria-busy");
    if (told && target && target.id !== "explore-call") target.replaceChildren(told.content.cloneNode(true));
  });
}
begin();
