import { expect, test } from 'vitest'
import { parseLowered } from '../text/parse-plan.ts'
import { planDiagnostics, verifyLowered } from './verify.ts'

const program = (plan: string, memory = '') =>
  parseLowered(`program p {
    kernel map<n: 1..64>(read x: f32[n], write y: f32[n]) { for parallel i < n { store y[i] = x[i] } }
    kernel fixed(read x: f32[16], write y: f32[16]) { for parallel i < 16 { store y[i] = x[i] } }
    plan main<n: 1..64, k: 0..64 upto n> { ${plan} ${memory} }
  }`)
const codes = (plan: string, memory?: string) => {
  const lowered = program(plan, memory)
  return planDiagnostics(
    lowered.plans[0] ?? { entry: '', symbols: [], buffers: [], steps: [], memory: undefined },
    lowered,
  ).map(d => d.code)
}

const base = 'input x: f32[n] scratch a: f32[n] scratch b: f32[n] scratch go: bool[] scratch c: i32[] output y: f32[n]'
const steps = 'steps { kernel map(x, a) kernel map(a, b) kernel map(b, y) }'
const slots = (a: string, rest = '') =>
  `memory { slot s0: 256 at 0 holds [x] slot s1: 256 at 256 holds [${a}] slot s2: 256 at 512 holds [y] ${rest} peak 1024 bound 768 }`

const good = [
  [`${base} ${steps}`, undefined],
  [`${base} ${steps}`, slots('a', 'slot s3: 256 at 768 holds [b]')],
  // Slots may overlap where what they hold is wanted at different times.
  [`${base} ${steps}`, slots('a', 'slot s3: 256 at 0 holds [b]')],
  // In place: the second step reads a and writes b.
  [`${base} ${steps}`, slots('a, b')],
  [
    `${base} scratch v: f32[1,n] alias a steps { kernel map(x, v) if go { kernel map(a, y) } else { copy x -> y } define k = c loop i upto k while go { copy x -> a } }`,
    undefined,
  ],
] as const
test.each(good)('nothing is wrong with %s %s', (plan, memory) => {
  expect(codes(plan, memory)).toEqual([])
})

const bad = [
  ['plan/name-taken', `${base} input x: f32[n] ${steps}`],
  ['plan/unknown-symbol', 'input x: f32[m] steps { }'],
  ['plan/unknown-symbol', `${base} steps { define m = c }`],
  ['plan/wrong-layout', 'input x: f32[n] layout [d0, d0] in [n] steps { }'],
  ['plan/wrong-buffer', 'constant x: f32[n] steps { }'],
  ['plan/unknown-buffer', `${base} steps { kernel map(x, q) }`],
  ['plan/unknown-buffer', 'scratch x: f32[n] alias q steps { }'],
  ['plan/wrong-alias', 'scratch x: f32[n] alias q scratch q: f32[n] alias x steps { }'],
  ['plan/wrong-alias', 'scratch x: f32[2*n] alias q scratch q: f32[n] steps { }'],
  ['plan/unknown-kernel', `${base} steps { kernel other(x, y) }`],
  ['plan/wrong-arguments', `${base} steps { kernel map(x) }`],
  ['plan/wrong-dtype', `${base} steps { kernel map(c, y) }`],
  ['plan/too-small', `${base} scratch s: f32[15] steps { kernel fixed(x, s) }`],
  ['plan/writes-constant', `${base} constant w: f32[1] data [1] steps { copy c -> w }`],
  ['plan/wrong-copy', `${base} steps { copy x -> c }`],
  ['plan/wrong-scalar', `${base} steps { if c { } }`],
  ['plan/wrong-scalar', `${base} steps { define k = go }`],
  ['plan/endless-loop', `${base} steps { loop i { } }`],
  [
    'plan/tenants-clash',
    `${base} steps { kernel map(x, a) kernel map(x, b) kernel map(a, y) kernel map(b, y) }`,
    slots('a, b'),
  ],
  [
    'plan/tenants-clash',
    `${base} steps { kernel map(x, a) loop i upto 3 { kernel map(a, y) kernel map(x, b) kernel map(b, y) } }`,
    slots('a, b'),
  ],
  ['plan/slots-overlap', `${base} ${steps}`, slots('a', 'slot s3: 256 at 600 holds [b]')],
  // In place is for those that begin together.
  ['plan/slots-overlap', `${base} ${steps}`, slots('a', 'slot s3: 256 at 320 holds [b]')],
  ['plan/too-small', `${base} ${steps}`, slots('a', 'slot s3: 64 at 768 holds [b]')],
  ['plan/wrong-peak', `${base} ${steps}`, slots('a', 'slot s3: 512 at 768 holds [b]')],
  ['plan/no-slot', `${base} ${steps}`, slots('a')],
  ['plan/wrong-tenant', `${base} constant w: f32[1] data [1] ${steps}`, slots('a', 'slot s3: 256 at 768 holds [b, w]')],
] as const
test.each(bad)('%s: %s %s', (code, plan, memory?: string) => {
  expect(codes(plan, memory)).toContain(code)
  expect(() => verifyLowered(program(plan, memory))).toThrow(expect.objectContaining({ name: 'QuernError' }))
})
