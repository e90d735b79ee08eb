// Big keys under the amount. The field itself stays: it can be typed into, and works without this.
const LONGEST = 9;
for (const form of document.querySelectorAll("[data-keypad]")) {
  const input = form.querySelector(".amount__input");
  const keys = form.querySelector("[data-keys]");
  const write = (digits) => {
    const plain = digits.replace(/^0+/, "").slice(0, LONGEST);
    input.value = plain ? Number(plain).toLocaleString("en-US") : "";
    input.dispatchEvent(new Event("change"));
  };
  const digits = () => input.value.replace(/\D/g, "");
  keys.hidden = false;
  if (matchMedia("(pointer: coarse)").matches) input.inputMode = "none";
  keys.addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]")?.dataset.key;
    if (!key) return;
    write(key === "back" ? digits().slice(0, -1) : digits() + key);
    navigator.vibrate?.(8);
  });
  input.addEventListener("input", () => write(digits()));
  write(digits());
}
