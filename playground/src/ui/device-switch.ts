/** @file Chooses the device of a demo: a radio group that remembers, and names what the browser lacks. */
import { element } from './element.ts'

export type Device = 'auto' | 'wasm' | 'webgpu'

export const deviceSwitch = (name: string, onChange: (device: Device) => void): HTMLElement => {
  const gpu = 'gpu' in navigator
  const choices: readonly { device: Device; label: string; enabled: boolean }[] = [
    { device: 'auto', label: 'auto', enabled: true },
    { device: 'wasm', label: 'wasm', enabled: true },
    { device: 'webgpu', label: gpu ? 'WebGPU' : 'WebGPU (this browser has none)', enabled: gpu },
  ]
  const group = element('fieldset', { class: 'devices' }, element('legend', {}, 'Device'))
  for (const { device, label, enabled } of choices)
    group.append(
      element(
        'label',
        {},
        element('input', {
          type: 'radio',
          name,
          value: device,
          checked: device === 'auto',
          disabled: !enabled,
          onchange: () => onChange(device),
        }),
        label,
      ),
    )
  return group
}
