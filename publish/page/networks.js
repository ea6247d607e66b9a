"use strict";
// The trained networks, computed in the page from their half-precision weights.
// Images are 28 x 28 rows of pixels from 0 to 1; maps are [row, column, channel], as in
// Keras, in one flat array.
const labs = (() => {
  const SIDE = 28; // of MNIST's images
  const BOX = 20; // its digits fill a box of 20 x 20, centred by their mass

  function bytes(id) {
    const text = atob(document.getElementById(id).textContent);
    const content = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) content[i] = text.charCodeAt(i);
    return content;
  }

  // IEEE 754 half precision: 1 bit of sign, 5 of exponent, 10 of fraction.
  function fromHalf(half) {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }

  const HALVES = Float32Array.from({ length: 65536 }, (_, half) => fromHalf(half));

  function weights(stem) {
    const view = new DataView(bytes(`weights-${stem}`).buffer);
    const values = new Float32Array(view.byteLength / 2);
    for (let i = 0; i < values.length; i++) {
      values[i] = HALVES[view.getUint16(2 * i, true)];
    }
    return values;
  }

  // [rows, inner] x [inner, columns] + bias [columns]
  function product(left, right, bias, rows, inner, columns) {
    const result = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const start = row * columns;
      if (bias) result.set(bias, start);
      for (let i = 0; i < inner; i++) {
        const factor = left[row * inner + i];
        if (factor === 0) continue; // most pixels, and half of what ReLU lets through
        const from = i * columns;
        for (let j = 0; j < columns; j++) result[start + j] += factor * right[from + j];
      }
    }
    return result;
  }

  // The patch under the kernel at every place, as the rows of a matrix: a convolution
  // is then one matrix product.
  function patches(values, side, channels, size, padding) {
    const places = side + 2 * padding - size + 1;
    const result = new Float64Array(places * places * size * size * channels);
    let next = 0;
    for (let row = 0; row < places; row++) {
      for (let column = 0; column < places; column++) {
        for (let i = row - padding; i < row - padding + size; i++) {
          for (let j = column - padding; j < column - padding + size; j++) {
            const inside = i >= 0 && i < side && j >= 0 && j < side;
            for (let c = 0; c < channels; c++) {
              result[next++] = inside ? values[(i * side + j) * channels + c] : 0;
            }
          }
        }
      }
    }
    return result;
  }

  function pool(values, side, channels, size, kind) {
    const places = Math.floor(side / size);
    const result = new Float64Array(places * places * channels);
    for (let place = 0; place < result.length; place++) {
      const c = place % channels;
      const column = Math.floor(place / channels) % places;
      const row = Math.floor(place / channels / places);
      let largest = -Infinity;
      let sum = 0;
      for (let i = 0; i < size * size; i++) {
        const y = row * size + Math.floor(i / size);
        const value = values[(y * side + column * size + (i % size)) * channels + c];
        largest = Math.max(largest, value);
        sum += value;
      }
      result[place] = kind === "max" ? largest : sum / (size * size);
    }
    return result;
  }

  const ACTIVATIONS = {
    linear: (x) => x,
    relu: (x) => Math.max(0, x),
    sigmoid: (x) => 1 / (1 + Math.exp(-x)),
    tanh: Math.tanh,
  };

  // A long short-term memory over the rows of an image: its last output, [units]. The
  // gates stand side by side, as in Keras: input, forget, candidate, output.
  function lstm(rows, inputs, units, kernel, recurrent, bias) {
    const { sigmoid, tanh } = ACTIVATIONS;
    const cell = new Float64Array(units);
    let state = new Float64Array(units);
    for (let from = 0; from < rows.length; from += inputs) {
      const row = rows.subarray(from, from + inputs);
      const sums = product(row, kernel, bias, 1, inputs, 4 * units);
      const past = product(state, recurrent, null, 1, units, 4 * units);
      const gate = (which, j) => sums[which * units + j] + past[which * units + j];
      state = state.map((_, j) => {
        cell[j] = sigmoid(gate(1, j)) * cell[j] + sigmoid(gate(0, j)) * tanh(gate(2, j));
        return sigmoid(gate(3, j)) * tanh(cell[j]);
      });
    }
    return state;
  }

  function forward(network, pixels) {
    let values = Float64Array.from(pixels);
    let side = SIDE;
    let channels = 1;
    let used = 0;
    const take = (count) => network.weights.subarray(used, (used += count));
    for (const layer of network.layers) {
      const { kind, inputs, outputs, size } = layer;
      if (kind === "dense") {
        const kernel = take(inputs * outputs);
        const bias = layer.bias && take(outputs);
        values = product(values, kernel, bias, 1, inputs, outputs);
      } else if (kind === "convolution") {
        const kernel = take(size * size * inputs * outputs);
        const bias = layer.bias && take(outputs);
        const padding = layer.same ? (size - 1) / 2 : 0;
        const rows = patches(values, side, channels, size, padding);
        side += 2 * padding - size + 1;
        channels = outputs;
        values = product(rows, kernel, bias, side ** 2, size * size * inputs, outputs);
      } else if (kind === "lstm") {
        const kernel = take(inputs * 4 * outputs);
        const recurrent = take(outputs * 4 * outputs);
        values = lstm(values, inputs, outputs, kernel, recurrent, take(4 * outputs));
      } else {
        values = pool(values, side, channels, size, kind);
        side = Math.floor(side / size);
      }
      if (layer.activation) values = values.map(ACTIVATIONS[layer.activation]);
    }
    return values;
  }

  function softmax(scores) {
    const largest = Math.max(...scores);
    const powers = Array.from(scores, (score) => Math.exp(score - largest));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  }

  const networks = JSON.parse(document.getElementById("networks").textContent);

  // {recipe: ten probabilities} for 784 pixels from 0 to 1.
  function answer(pixels) {
    const answers = {};
    for (const network of networks) {
      network.weights ??= weights(network.stem); // decoded when first needed
      answers[network.stem] = softmax(forward(network, pixels));
    }
    return answers;
  }

  // A drawing as MNIST made its images: the box around the ink, scaled to 20 x 20 with
  // its proportions kept, each pixel the mean of what it covers, the centre of mass in
  // the middle of 28 x 28. ink: width * height values from 0 to 1. Null without ink.
  function prepare(ink, width, height) {
    let [left, right, top, bottom] = [width, -1, height, -1];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (ink[y * width + x] > 0.05) {
          left = Math.min(left, x);
          right = Math.max(right, x);
          top = Math.min(top, y);
          bottom = Math.max(bottom, y);
        }
      }
    }
    if (right < 0) return null;
    const scale = BOX / Math.max(right - left + 1, bottom - top + 1);
    const small = new Float64Array(BOX * BOX);
    let [mass, massX, massY] = [0, 0, 0];
    // Each drawn pixel is shared among the small ones that it covers.
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const value = ink[y * width + x];
        if (!value) continue;
        for (const [row, high] of covered((y - top) * scale, scale)) {
          for (const [column, wide] of covered((x - left) * scale, scale)) {
            const part = value * high * wide;
            small[row * BOX + column] += part;
            mass += part;
            massX += part * (column + 0.5);
            massY += part * (row + 0.5);
          }
        }
      }
    }
    // Upwards, as in all of MNIST: its centres lie up to a pixel past the middle.
    const shiftX = Math.ceil(SIDE / 2 - massX / mass);
    const shiftY = Math.ceil(SIDE / 2 - massY / mass);
    const pixels = new Float64Array(SIDE * SIDE);
    for (let row = 0; row < BOX; row++) {
      for (let column = 0; column < BOX; column++) {
        const [y, x] = [row + shiftY, column + shiftX];
        if (y >= 0 && y < SIDE && x >= 0 && x < SIDE) {
          pixels[y * SIDE + x] = Math.min(1, small[row * BOX + column]);
        }
      }
    }
    return pixels;
  }

  // [pixel, length] of the small pixels that start to start + length lies on.
  function covered(start, length) {
    const parts = [];
    for (let at = Math.floor(start); at < start + length && at < BOX; at++) {
      const part = Math.min(at + 1, start + length) - Math.max(at, start);
      if (part > 1e-9) parts.push([at, part]);
    }
    return parts;
  }

  return { SIDE, answer, bytes, prepare };
})();
window.labs = labs;
