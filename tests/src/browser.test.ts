/** @file The test browser itself: it opens a page, isolates it and has a WebGPU device, as the other tests assume. */
import { describe, expect, it } from 'vitest'
import { chromium, openBrowser } from './browser.ts'
import { serve } from './serve.ts'

const page = {
  '/index.html': '<!doctype html><title>smoke</title>',
  '/worker.js': 'onmessage = e => postMessage(e.data)',
}

describe.skipIf(!chromium)('the test browser', () => {
  it('opens a page that is not isolated', async () => {
    const { url, close } = await serve(page)
    const { browser, context } = await openBrowser()
    try {
      const tab = await context.newPage()
      await tab.goto(url)
      expect(await tab.title()).toBe('smoke')
      expect(await tab.evaluate(() => crossOriginIsolated)).toBe(false)
    } finally {
      await browser.close()
      await close()
    }
  })

  it('isolates a page, which then shares memory with a worker', async () => {
    const { url, close } = await serve(page)
    const { browser, context } = await openBrowser({ isolated: true })
    try {
      const tab = await context.newPage()
      await tab.goto(url)
      const shared = await tab.evaluate(
        () =>
          new Promise(resolve => {
            const worker = new Worker('./worker.js', { type: 'module' })
            worker.addEventListener('message', e => resolve(e.data instanceof SharedArrayBuffer))
            worker.addEventListener('error', () => resolve('the worker did not start'))
            worker.postMessage(new SharedArrayBuffer(8))
          }),
      )
      expect(shared).toBe(true)
    } finally {
      await browser.close()
      await close()
    }
  })

  it('has a WebGPU device that computes', async () => {
    const { url, close } = await serve(page)
    const { browser, context } = await openBrowser({ webgpu: true })
    try {
      const tab = await context.newPage()
      await tab.goto(url)
      expect(await tab.evaluate(double)).toEqual([2, 4, 6, 8])
    } finally {
      await browser.close()
      await close()
    }
  })
})

async function double(): Promise<number[]> {
  const device = await (await navigator.gpu.requestAdapter())!.requestDevice()
  const code = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
    @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) i: vec3u) { x[i.x] = 2 * x[i.x]; }`
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  })
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage
  const buffer = device.createBuffer({ size: 16, usage: STORAGE | COPY_SRC | COPY_DST })
  const result = device.createBuffer({ size: 16, usage: COPY_DST | MAP_READ })
  device.queue.writeBuffer(buffer, 0, new Float32Array([1, 2, 3, 4]))
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  pass.setBindGroup(
    0,
    device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer } }] }),
  )
  pass.dispatchWorkgroups(1)
  pass.end()
  encoder.copyBufferToBuffer(buffer, 0, result, 0, 16)
  device.queue.submit([encoder.finish()])
  await result.mapAsync(GPUMapMode.READ)
  return [...new Float32Array(result.getMappedRange())]
}
