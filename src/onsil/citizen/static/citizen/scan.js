// Reads a payment code with the camera. Without a camera, or a leave to use it, the field below serves.
const box = document.querySelector("[data-scanner]");
const form = document.querySelector("[data-code-form]");
const words = box?.querySelector("[data-words]");
const video = box?.querySelector("video");
const WIDEST = 640; // pixels looked at; a code held to the camera is large

const say = (which) => { words.textContent = words.dataset[which]; };

async function reader() {
  if ("BarcodeDetector" in window) {
    const kinds = await BarcodeDetector.getSupportedFormats().catch(() => []);
    if (kinds.includes("qr_code")) {
      const detector = new BarcodeDetector({ formats: ["qr_code"] });
      return async (canvas) => (await detector.detect(canvas))[0]?.rawValue;
    }
  }
  const { default: jsQR } = await import(box.dataset.library);
  return async (canvas, pen) => {
    const picture = pen.getImageData(0, 0, canvas.width, canvas.height);
    return jsQR(picture.data, picture.width, picture.height, { inversionAttempts: "dontInvert" })?.data;
  };
}

async function scan() {
  box.hidden = false;
  say("starting");
  let stream;
  let read;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false,
    });
    read = await reader();
  } catch {
    stream?.getTracks().forEach((track) => track.stop());
    video.hidden = true;
    say("denied");
    return;
  }
  video.srcObject = stream;
  await video.play();
  say("looking");
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const stop = () => stream.getTracks().forEach((track) => track.stop());
  addEventListener("pagehide", stop, { once: true });
  const look = async () => {
    if (!stream.active) return;
    const scale = Math.min(1, WIDEST / (video.videoWidth || WIDEST));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    if (canvas.width) {
      pen.drawImage(video, 0, 0, canvas.width, canvas.height);
      const text = await read(canvas, pen).catch(() => undefined);
      if (text) {
        stop();
        say("found");
        navigator.vibrate?.(40);
        form.querySelector("[name=code]").value = text;
        form.requestSubmit();
        return;
      }
    }
    setTimeout(look, 120);
  };
  look();
}

if (box && form && navigator.mediaDevices?.getUserMedia) scan();
