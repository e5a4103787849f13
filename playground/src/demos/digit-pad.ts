/** @file A pad to draw a digit on with mouse, pen, touch or keys, and its picture as the network expects it. */
import { element } from '../ui/element.ts'

const size = 280,
  cells = 28,
  brush = 22

export interface DigitPad {
  readonly root: HTMLElement
  /** [1, 1, 28, 28], 0 to 1: centred by its mass and scaled into 20 × 20, as MNIST was made. */
  image(): Float32Array<ArrayBuffer>
  clear(): void
  /** Shows a 28 × 28 image. */
  show(image: Float32Array): void
}

export const digitPad = (onChange: () => void): DigitPad => {
  const canvas = element('canvas', {
    width: String(size),
    height: String(size),
    class: 'pad',
    tabindex: '0',
    'aria-label': 'Draw a digit here. With keys: arrows move the pen, space lowers or lifts it, Delete clears.',
  })
  const context = canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D
  const pen = { x: size / 2, y: size / 4, down: false }
  const clear = (): void => {
    context.fillStyle = '#000'
    context.fillRect(0, 0, size, size)
  }
  const strokeTo = (x: number, y: number): void => {
    context.strokeStyle = '#fff'
    context.lineWidth = brush
    context.lineCap = 'round'
    context.lineJoin = 'round'
    context.beginPath()
    context.moveTo(pen.x, pen.y)
    context.lineTo(x, y)
    context.stroke()
    pen.x = x
    pen.y = y
    onChange()
  }
  const place = (event: PointerEvent): [number, number] => {
    const box = canvas.getBoundingClientRect()
    return [((event.clientX - box.left) / box.width) * size, ((event.clientY - box.top) / box.height) * size]
  }
  canvas.addEventListener('pointerdown', event => {
    canvas.setPointerCapture(event.pointerId)
    ;[pen.x, pen.y] = place(event)
    pen.down = true
    strokeTo(pen.x, pen.y)
  })
  canvas.addEventListener('pointermove', event => {
    if (!pen.down || event.buttons === 0) return
    for (const e of event.getCoalescedEvents?.() ?? [event]) strokeTo(...place(e))
  })
  canvas.addEventListener('pointerup', () => {
    pen.down = false
  })
  canvas.addEventListener('keydown', event => {
    const steps: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-10, 0],
      ArrowRight: [10, 0],
      ArrowUp: [0, -10],
      ArrowDown: [0, 10],
    }
    const step = steps[event.key]
    if (step !== undefined) {
      const x = Math.min(size, Math.max(0, pen.x + step[0])),
        y = Math.min(size, Math.max(0, pen.y + step[1]))
      if (pen.down) strokeTo(x, y)
      else [pen.x, pen.y] = [x, y]
    } else if (event.key === ' ') pen.down = !pen.down
    else if (event.key === 'Delete' || event.key === 'Backspace') {
      clear()
      onChange()
    } else return
    event.preventDefault()
  })
  clear()

  /** Ink of the pad, 0 to 1, with the box around it. */
  const ink = (): { alpha: Float32Array; left: number; top: number; right: number; bottom: number } => {
    const { data } = context.getImageData(0, 0, size, size)
    const alpha = new Float32Array(size * size)
    let left = size,
      top = size,
      right = -1,
      bottom = -1
    for (let i = 0; i < alpha.length; i++) {
      alpha[i] = (data[i * 4] ?? 0) / 255
      if ((alpha[i] ?? 0) < 0.1) continue
      const px = i % size,
        py = Math.floor(i / size)
      left = Math.min(left, px)
      right = Math.max(right, px)
      top = Math.min(top, py)
      bottom = Math.max(bottom, py)
    }
    return { alpha, left, top, right, bottom }
  }
  const image = (): Float32Array<ArrayBuffer> => {
    const small = new Float32Array(cells * cells)
    const { left, top, right, bottom } = ink()
    if (right < 0) return small
    const scale = 20 / Math.max(right - left + 1, bottom - top + 1)
    const scratch = new OffscreenCanvas(cells, cells)
    const target = scratch.getContext('2d', { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D
    const draw = (dx: number, dy: number): Uint8ClampedArray => {
      target.fillStyle = '#000'
      target.fillRect(0, 0, cells, cells)
      target.imageSmoothingQuality = 'high'
      const width = (right - left + 1) * scale,
        height = (bottom - top + 1) * scale
      target.drawImage(
        canvas,
        left,
        top,
        right - left + 1,
        bottom - top + 1,
        (cells - width) / 2 + dx,
        (cells - height) / 2 + dy,
        width,
        height,
      )
      return target.getImageData(0, 0, cells, cells).data
    }
    // MNIST centres by mass, not by the box.
    const first = draw(0, 0)
    let mass = 0,
      mx = 0,
      my = 0
    for (let i = 0; i < small.length; i++) {
      const v = first[i * 4] ?? 0
      mass += v
      mx += v * (i % cells)
      my += v * Math.floor(i / cells)
    }
    const centred = mass === 0 ? first : draw((cells - 1) / 2 - mx / mass, (cells - 1) / 2 - my / mass)
    for (let i = 0; i < small.length; i++) small[i] = (centred[i * 4] ?? 0) / 255
    return small
  }
  const show = (picture: Float32Array): void => {
    const cell = size / cells
    for (let i = 0; i < cells * cells; i++) {
      const v = Math.round((picture[i] ?? 0) * 255)
      context.fillStyle = `rgb(${v} ${v} ${v})`
      context.fillRect((i % cells) * cell, Math.floor(i / cells) * cell, cell, cell)
    }
  }
  return { root: canvas, image, clear, show }
}
