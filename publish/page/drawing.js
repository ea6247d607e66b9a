"use strict";
// "Draw a digit": the pen, the test digits, and what the networks say, as one draws.
(() => {
  const { SIDE, answer, bytes, prepare } = labs;
  const PEN = 20; // of the 280 pixels drawn on: two pixels of 28
  const paper = document.getElementById("paper");
  const pen = paper.getContext("2d", { willReadFrequently: true });
  const seen = document.getElementById("seen").getContext("2d");
  let pixels = null;
  let waiting = false;

  function inkOfPaper() {
    const { data } = pen.getImageData(0, 0, paper.width, paper.height);
    return Float64Array.from({ length: data.length / 4 }, (_, i) => data[4 * i + 3] / 255);
  }

  function show() {
    const image = seen.createImageData(SIDE, SIDE);
    for (let i = 0; i < SIDE * SIDE; i++) {
      const shade = 255 * (pixels ? pixels[i] : 0);
      image.data.set([shade, shade, shade, 255], 4 * i);
    }
    seen.putImageData(image, 0, 0);
    const answers = pixels ? answer(pixels) : {};
    const votes = new Map();
    for (const row of document.querySelectorAll("[data-network]")) {
      const bars = row.querySelectorAll(".bar");
      if (!bars.length) continue;
      const chances = answers[row.dataset.network] ?? Array(10).fill(0);
      const best = pixels ? chances.indexOf(Math.max(...chances)) : -1;
      chances.forEach((chance, digit) => {
        bars[digit].style.height = `${100 * chance}%`;
        bars[digit].classList.toggle("best", digit === best);
      });
      const percent = pixels ? Math.round(100 * chances[best]) : 0;
      row.querySelector(".answer").textContent = pixels ? `${best} (${percent} %)` : "–";
      if (pixels) votes.set(best, (votes.get(best) ?? 0) + 1);
    }
    const [digit, agree] = [...votes].sort((a, b) => b[1] - a[1])[0] ?? [];
    const all = Object.keys(answers).length;
    const korean = document.documentElement.lang === "ko";
    const text = korean ? `${all}개 중 ${agree}개의 답: ${digit}` : `${agree} of ${all} say ${digit}`;
    const ask = korean ? "0에서 9까지 하나를 써 보세요" : "Draw one of 0 to 9";
    document.getElementById("verdict").textContent = votes.size ? text : ask;
  }

  // As often as the screen is drawn, however many points the pointer reports.
  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      pixels = prepare(inkOfPaper(), paper.width, paper.height);
      show();
    });
  }

  function place(event) {
    const box = paper.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * paper.width) / box.width,
      ((event.clientY - box.top) * paper.height) / box.height,
    ];
  }

  let last = null;
  function stroke(event) {
    const [x, y] = place(event);
    pen.lineWidth = PEN;
    pen.lineCap = "round";
    pen.lineJoin = "round";
    pen.strokeStyle = getComputedStyle(paper).color;
    pen.beginPath();
    pen.moveTo(...(last ?? [x, y]));
    pen.lineTo(x, y);
    pen.stroke();
    last = [x, y];
    soon();
  }

  paper.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    paper.setPointerCapture(event.pointerId);
    last = null;
    stroke(event);
  });
  paper.addEventListener("pointermove", (event) => {
    if (last) for (const each of event.getCoalescedEvents?.() ?? [event]) stroke(each);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    paper.addEventListener(end, () => (last = null));
  }

  document.getElementById("clear").addEventListener("click", () => {
    pen.clearRect(0, 0, paper.width, paper.height);
    soon();
  });

  // A test digit is shown to the networks as it is: it is centred and scaled already.
  const samples = bytes("samples");
  for (const button of document.querySelectorAll("[data-sample]")) {
    button.addEventListener("click", () => {
      const from = Number(button.dataset.sample) * SIDE * SIDE;
      pixels = Float64Array.from(samples.subarray(from, from + SIDE * SIDE), (b) => b / 255);
      const image = new ImageData(SIDE, SIDE);
      const [red, green, blue] = getComputedStyle(paper).color.match(/\d+/g).map(Number);
      pixels.forEach((value, i) => image.data.set([red, green, blue, 255 * value], 4 * i));
      const small = new OffscreenCanvas(SIDE, SIDE);
      small.getContext("2d").putImageData(image, 0, 0);
      pen.clearRect(0, 0, paper.width, paper.height);
      pen.drawImage(small, 0, 0, paper.width, paper.height);
      show();
    });
  }

  // The ink has the colour of the theme.
  document.addEventListener("labs-theme", () => {
    pen.globalCompositeOperation = "source-in";
    pen.fillStyle = getComputedStyle(paper).color;
    pen.fillRect(0, 0, paper.width, paper.height);
    pen.globalCompositeOperation = "source-over";
  });
  document.addEventListener("labs-language", show);
})();
