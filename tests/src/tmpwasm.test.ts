import { test } from 'vitest'
import { writeFileSync } from 'node:fs'
import { jit } from '@quern/jit'
import digits from '@quern/playground/src/models/digits.model.ts'
import { testDigits, countRight } from './test-digits.ts'
test('x', async () => {
  let last = performance.now()
  const times: string[] = []
  const net = await jit(digits, {
    device: 'wasm',
    thread: 'caller',
    onStage: (name: string, text: string) => {
      const t = performance.now()
      times.push(`${name} ${(t - last).toFixed(0)}`)
      last = t
      if (name === 'wat') writeFileSync('/tmp/digits.wat', text)
      if (name === 'legal' || name === 'plan' || name === 'loop') writeFileSync('/tmp/digits.' + name, text)
    },
  } as never)
  console.log(times.join('\n'), (performance.now() - last).toFixed(0))
  const { images, labels } = testDigits()
  const r = await net.run({ image: images })
  console.log(countRight(r.probs.data, labels))
  for (let i = 0; i < 5; i++) {
    const t = performance.now()
    await net.run({ image: images })
    console.log('1000 digits', performance.now() - t)
  }
  console.log(await net.profile({ image: images }))
}, 100000)
