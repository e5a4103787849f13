/** @file Finds the variant that the adapter can run, and a device for it: one that all models of the realm share. */
import type { ArtifactParts } from '@quern/artifact'

export interface FoundDevice {
  readonly parts: ArtifactParts
  readonly gpu: GPUDevice
  readonly reasons: readonly string[]
}

/** What any of our variants may ask for: a device that has all of it serves every model. */
const wished = ['shader-f16', 'subgroups']
const limits = ['maxStorageBufferBindingSize', 'maxBufferSize'] as const

/** @param hardwareOnly refuses an adapter that computes on the CPU: wasm does that better */
export const openDevice = async (
  api: GPU,
  artifacts: readonly ArtifactParts[],
  hardwareOnly: boolean,
): Promise<FoundDevice | { readonly why: string }> => {
  const adapter = await api.requestAdapter().catch(() => null)
  if (adapter === null) return { why: 'the browser found no GPU adapter' }
  if (hardwareOnly && adapter.info?.isFallbackAdapter) return { why: "the only GPU adapter is the browser's software" }
  const reasons: string[] = []
  // The variant with most features that the adapter has; the stub lists them from plain to special.
  const usable = artifacts.filter(({ manifest }) => {
    const missing = manifest.features.filter(f => !adapter.features.has(f))
    if (missing.length > 0) reasons.push(`not ${manifest.variant}: the adapter lacks ${missing.join(', ')}`)
    return missing.length === 0
  })
  const parts = usable.at(-1)
  if (parts === undefined) return { why: `the adapter lacks features that every variant needs: ${reasons.join('; ')}` }
  try {
    return { parts, gpu: await sharedDevice(adapter, parts.manifest.features), reasons }
  } catch (cause) {
    return { why: `the adapter gave no device (${cause instanceof Error ? cause.message : String(cause)})` }
  }
}

/**
 * Where the realm's device is: on the global object, since two bundles on a page have two copies of this module. Held weakly:
 * models and tensors keep the device, and with the last of them it goes.
 */
const place = Symbol.for('quern.gpu-device')
interface Realm {
  [place]?: Promise<WeakRef<GPUDevice>> | undefined
}

const sharedDevice = async (adapter: GPUAdapter, features: readonly string[]): Promise<GPUDevice> => {
  const realm = globalThis as Realm
  // Two loads at one time meet here: the second waits for the first one's device.
  const before = realm[place] ?? Promise.resolve(undefined)
  let opened: GPUDevice | undefined
  const mine = before
    .catch(() => undefined)
    .then(async known => {
      const device = known?.deref()
      opened =
        device !== undefined && features.every(f => device.features.has(f)) ? device : await open(adapter, features)
      return new WeakRef(opened)
    })
  realm[place] = mine
  await mine
  if (opened === undefined) throw new Error('no device was opened')
  return opened
}

const open = async (adapter: GPUAdapter, features: readonly string[]): Promise<GPUDevice> => {
  const all = new Set([...wished.filter(f => adapter.features.has(f)), ...features])
  const device = await adapter.requestDevice({
    requiredFeatures: [...all] as GPUFeatureName[],
    requiredLimits: Object.fromEntries(limits.map(l => [l, adapter.limits[l]])),
  })
  // The next load gets a new one.
  void device.lost.then(async () => {
    const realm = globalThis as Realm
    const shared = await realm[place]?.catch(() => undefined)
    if (shared?.deref() === device) realm[place] = undefined
  })
  return device
}
