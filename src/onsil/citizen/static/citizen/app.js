// The till's helpers. Everything works without them; they make it faster and clearer.
const worker = document.querySelector('meta[name="worker"]');
if (worker && "serviceWorker" in navigator) {
  navigator.serviceWorker.register(worker.content, { scope: worker.dataset.scope }).catch(() => {});
}

// A page that waits for an answer: asks every two seconds, and at once when something is announced.
for (const page of document.querySelectorAll("[data-wait]")) {
  let asking = false;
  let over = false;
  const ask = async () => {
    if (asking || over || document.hidden) return;
    asking = true;
    try {
      const answer = await fetch(page.dataset.wait, {
        credentials: "same-origin", cache: "no-store", headers: { Accept: "application/json" },
      });
      if (answer.ok && answer.headers.get("content-type")?.includes("json")) {
        const state = await answer.json();
        if (state.next) { over = true; location.replace(state.next); }
        else if (state.state === "expired" || state.state === "cancelled") end(page);
      }
    } catch { /* no network for the moment: the next round asks again */ }
    asking = false;
  };
  setInterval(ask, 2000);
  document.addEventListener("onsil:live", ask);
  document.addEventListener("visibilitychange", ask);
  addEventListener("online", ask);
}

function end(page) {
  page.querySelector("[data-code-frame]")?.classList.add("code-frame--over");
  page.querySelector("[data-over]")?.removeAttribute("hidden");
}

// The ring of three minutes. The server said how many seconds are left; the phone's clock is not asked.
for (const ring of document.querySelectorAll("[data-countdown]")) {
  const left = Number(ring.dataset.countdown);
  const began = performance.now();
  const arc = ring.querySelector(".countdown__left");
  const clock = ring.querySelector("[data-clock]");
  const tick = () => {
    const now = Math.max(0, left - (performance.now() - began) / 1000);
    arc?.setAttribute("stroke-dasharray", `${now} 180`);
    const whole = Math.ceil(now);
    clock.textContent = whole
      ? `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}` : ring.dataset.over;
    ring.classList.toggle("countdown--soon", whole <= 30);
    if (!whole) {
      clearInterval(timer);
      const page = ring.closest("[data-wait]");
      if (page) end(page);
      for (const button of document.querySelectorAll("[data-pay]")) button.disabled = true;
    }
  };
  const timer = setInterval(tick, 500);
  tick();
}

// Paid: two rising tones and a short vibration, where the phone allows them.
if (document.querySelector("[data-celebrate]")) {
  navigator.vibrate?.([80, 60, 160]);
  try {
    const sound = new AudioContext();
    [660, 990].forEach((pitch, place) => {
      const tone = sound.createOscillator();
      const volume = sound.createGain();
      tone.frequency.value = pitch;
      const from = sound.currentTime + place * 0.16;
      volume.gain.setValueAtTime(0.18, from);
      volume.gain.exponentialRampToValueAtTime(0.001, from + 0.22);
      tone.connect(volume).connect(sound.destination);
      tone.start(from);
      tone.stop(from + 0.24);
    });
  } catch { /* a phone without sound has the picture */ }
}

// What the points entered would give, by the city's rate.
const worth = document.querySelector("[data-worth]");
if (worth) {
  const input = document.getElementById(worth.dataset.for);
  const show = () => {
    const points = Number(input.value.replace(/\D/g, ""));
    const step = Number(worth.dataset.points);
    const won = Math.floor(points / step) * Number(worth.dataset.won);
    worth.textContent = won ? `→ ${won.toLocaleString()}${document.documentElement.lang === "ko" ? "원" : " won"}` : "";
  };
  input.addEventListener("input", show);
  show();
}

for (const link of document.querySelectorAll("[data-reload]")) {
  link.addEventListener("click", (event) => { event.preventDefault(); location.reload(); });
  // "online" may come before the network answers, or never: the page's own address is asked.
  const back = () => fetch(location.href, { method: "HEAD", cache: "no-store", redirect: "manual" })
    .then(() => location.reload(), () => {});
  addEventListener("online", back);
  setInterval(back, 3000);
}
