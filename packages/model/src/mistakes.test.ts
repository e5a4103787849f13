/** What newcomers get wrong is an error of its own, at their line, that says what to write; the editor's types are out of the way. */
import { isQuernError } from '@quern/artifact'
import { describe, expect, test } from 'vitest'
import * as quern from './index.ts'
import { condition } from './instrumented.ts'

/** As a build sees the functions: without their types. */
type Untyped = Readonly<Record<string, (...args: readonly unknown[]) => never>>
const q = quern as unknown as Untyped
const nn = quern.nn as unknown as Untyped

const here = { file: 'a.model.ts', line: 3, column: 5, length: 4 }
/** Runs f as an instrumented call, and returns what it throws. */
const mistake = (f: () => unknown): { code: string; message: string; details: Readonly<Record<string, unknown>> } => {
  try {
    quern.$call(here, f)()
  } catch (error) {
    if (isQuernError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
const x = quern.zeros([2, 3])
const spec = quern.tensor('f32', [2, 3])

type Case = readonly [what: string, f: () => unknown, code: string, says: RegExp]

describe.each<Case>([
  [
    'an async function',
    () => q['model']?.({ x: spec }, async () => ({ y: x })),
    'model/async',
    /await weights at the top/,
  ],
  [
    'no result',
    () => q['model']?.({ x: spec }, () => undefined),
    'model/returns-outputs-by-name',
    /write `return \{ y \}`/,
  ],
  ['a number', () => q['model']?.({ x: spec }, () => 3), 'model/returns-outputs-by-name', /and 3 was returned/],
  [
    'a tensor alone',
    () => q['model']?.({ x: spec }, () => x),
    'model/returns-outputs-by-name',
    /a tensor alone was returned/,
  ],
  ['an array', () => q['model']?.({ x: spec }, () => [x]), 'model/returns-outputs-by-name', /an array of 1/],
  [
    'an output that is none',
    () => q['model']?.({ x: spec }, () => ({ y: [1] })),
    'model/output-is-a-tensor',
    /output y .* an array of 1/,
  ],
  [
    'an output written as __proto__',
    () => q['model']?.({ x: spec }, () => ({ __proto__: x })),
    'model/proto-is-no-name',
    /an output of a model is written as __proto__/,
  ],
  [
    'an input written as __proto__',
    () => q['model']?.({ __proto__: spec }, () => ({ y: x })),
    'model/proto-is-no-name',
    /an input of a model/,
  ],
  [
    'an entry that hides a method',
    () => q['program']?.({ fork: quern.entry({ x: spec }, () => ({ y: x })) }),
    'program/entry-name',
    /a loaded program has a fork of its own, beside state, report, dispose/,
  ],
  ['no outputs', () => q['model']?.({ x: spec }, () => ({})), 'model/no-outputs', /at least one tensor/],
  [
    'a shape as an input',
    () => q['model']?.({ x: [2, 3] }, () => ({})),
    'model/input-is-a-spec',
    /write x: tensor\('f32', \[2, 3\]\)/,
  ],
  ['a tensor as an input', () => q['model']?.({ x }, () => ({})), 'model/input-is-a-spec', /is no input/],
  ['a spec as all inputs', () => q['model']?.(spec, () => ({})), 'model/inputs-by-name', /by name/],
  ['no inputs', () => q['model']?.(undefined, () => ({})), 'model/inputs-by-name', /was given undefined/],
  ['no function', () => q['model']?.({ x: spec }), 'model/not-a-function', /takes a function/],
  [
    'a misspelled option',
    () => q['model']?.({ x: spec }, () => ({ x }), { target: [] }),
    'model/unknown-option',
    /did you mean targets\?/,
  ],
  [
    'an unknown target',
    () => q['model']?.({ x: spec }, () => ({ x }), { targets: ['wasn'] }),
    'model/option-value',
    /did you mean wasm\?/,
  ],
  [
    'an unknown numerics',
    () => q['model']?.({ x: spec }, () => ({ x }), { numerics: 'exacts' }),
    'model/option-value',
    /did you mean exact\?/,
  ],
  [
    'no bytes',
    () => q['model']?.({ x: spec }, () => ({ x }), { maxBytes: '1 MB' }),
    'model/option-value',
    /a number of bytes as its option maxBytes/,
  ],
  [
    'an entry that is a function',
    () => q['program']?.({ a: () => ({ x }) }),
    'program/entries-by-name',
    /a of a program is the function a/,
  ],
])('model: %s', (_, f, code, says) => {
  test(code, () => {
    const error = mistake(f)
    expect(error).toMatchObject({ code, details: { origin: here } })
    expect(error.message).toMatch(says)
  })
})

describe.each<Case>([
  [
    'a dtype of other libraries',
    () => q['tensor']?.('float32', [2]),
    'dtype/unknown',
    /did you mean f32\? .* f32, f16, f64/,
  ],
  ['a dtype with a slip', () => q['tensor']?.('f23', [2]), 'dtype/unknown', /did you mean f32\?/],
  ['a dtype that is a number', () => q['zeros']?.([2], 32), 'dtype/unknown', /and 32 is none/],
  ['a negative size', () => q['tensor']?.('f32', [-1, 3]), 'shape/not-a-size', /size 1 .* is -1.* write a dim/],
  ['a size that is a name', () => q['tensor']?.('f32', [2, 'n']), 'shape/not-a-size', /size 2 .* is "n".* write a dim/],
  ['a fraction', () => q['zeros']?.([2.5]), 'shape/not-a-size', /is 2\.5/],
  ['not a number', () => q['zeros']?.([NaN]), 'shape/not-a-size', /is NaN/],
  ['no list', () => q['tensor']?.('f32', 3), 'shape/not-a-list', /was given 3/],
  ['a size beyond indices', () => q['tensor']?.('f32', [1e10, 1e10]), 'shape/not-a-size', /from 0 to 2147483647/],
  [
    '40 GB',
    () => q['tensor']?.('f32', [100_000, 100_000]),
    'shape/too-many-elements',
    /f32\[100000,100000\] has 10,000,000,000 elements \(37\.3 GiB\)/,
  ],
  [
    '40 GB that symbols make',
    () => q['tensor']?.('f32', [quern.dim('n', { min: 100_000 }), 100_000]),
    'shape/too-many-elements',
    /at least/,
  ],
  [
    '40 GB that an op makes',
    () => q['broadcast']?.(x, [1e9, 2, 3]),
    'shape/too-many-elements',
    /f32\[1000000000,2,3\]/,
  ],
  [
    'what attributes make',
    () => q['pad']?.(x, [0, 0], [2 ** 53 - 1, 0]),
    'shape/too-large',
    /attributes are too large/,
  ],
  ['bounds the wrong way', () => quern.dim('n', { min: 5, max: 2 }), 'dim/bounds', /no value from 5 to 2/],
  [
    'bounds without a multiple',
    () => quern.dim('n', { min: 5, max: 7, multipleOf: 4 }),
    'dim/bounds',
    /multiple of 4 from 5 to 7/,
  ],
  ['a bound that is no number', () => q['dim']?.('n', { max: '9' }), 'dim/bounds', /max of the dim n .* not "9"/],
  ['a bound that is unknown', () => q['dim']?.('n', { maximum: 9 }), 'dim/bounds', /no bound maximum/],
  ['a dim without a name', () => q['dim']?.(3), 'dim/name', /takes a name first/],
])('types: %s', (_, f, code, says) => {
  test(code, () => {
    const error = mistake(f)
    expect(error).toMatchObject({ code, details: { origin: here } })
    expect(error.message).toMatch(says)
  })
})

describe.each<Case>([
  ['a number', () => q['matmul']?.(x, 3), 'model/not-a-tensor', /as rhs, and was given 3: write constant\(3\)/],
  [
    'nothing',
    () => nn['relu']?.(undefined),
    'model/not-a-tensor',
    /as x, and was given undefined: is the name spelled/,
  ],
  ['a list', () => q['add']?.(x, [1, 2, 3]), 'model/not-a-tensor', /an array of 3: constant/],
  ['a spec', () => nn['relu']?.(spec), 'model/not-a-tensor', /tensor\(\) declares the type of an input/],
  ['a state', () => nn['relu']?.(quern.state('s', spec)), 'model/not-a-tensor', /its \.value/],
  ['an axis as options', () => q['sum']?.(x, 1), 'model/not-options', /like \{ axes: … \}, and was given 1/],
  [
    'a misspelled option',
    () => q['sum']?.(x, { axis: [1] }),
    'model/unknown-option',
    /sum has no option axis: did you mean axes\?/,
  ],
  [
    'branches that are no functions',
    () => q['cond']?.(x, x, x),
    'model/not-a-function',
    /takes a function as the first branch/,
  ],
  ['a tensor for parts', () => q['concat']?.(x, x), 'model/not-a-list', /concat\(\[x, y\]\)/],
  ['two sizes left open', () => q['reshape']?.(x, [-1, -1]), 'reshape/one-rest', /-1 once/],
  ['a size that does not divide', () => q['reshape']?.(x, [4, -1]), 'reshape/rest-divides', /6 elements .* parts of 4/],
  ['a dim that is not one', () => q['squeeze']?.(x, 0), 'squeeze/dim-is-one', /dim 0 of x is 2/],
  [
    'a window',
    () => nn['maxPool']?.(quern.zeros([1, 1, 4, 4]), [2, 2, 2]),
    'model/option-value',
    /the kernel as a whole number/,
  ],
  [
    'weights in order',
    () => nn['linear']?.(x, x),
    'model/weights-by-name',
    /as \{ weight, bias \}, and was given a tensor/,
  ],
  ['weights by other names', () => nn['layerNorm']?.(x, { gamma: x }), 'model/weights-by-name', /none of these names/],
])('operands: %s', (_, f, code, says) => {
  test(code, () => {
    const error = mistake(f)
    expect(error).toMatchObject({ code, details: { origin: here } })
    expect(error.message).toMatch(says)
  })
})

describe('a tensor has no value yet', () => {
  const y: unknown = x
  test.each<[string, () => unknown, RegExp]>([
    ['x + 1', () => (y as number) + 1, /add\(x, y\) for x \+ y/],
    ['x > 1', () => (y as number) > 1, /greater\(x, y\) for x > y/],
    ['-x', () => -(y as number), /operators of JavaScript/],
    ['x == 1', () => (y as number) == 1, /equal\(x, y\) for x == y/],
    ['[...x]', () => [...(y as number[])], /unstack\(x, 0\)/],
  ])('%s', (_, f, says) => {
    const error = mistake(f)
    expect(error).toMatchObject({ code: 'model/tensor-has-no-value', details: { operands: [{ type: 'f32[2,3]' }] } })
    expect(error.message).toMatch(says)
    // The stack knows the line of an operator; the running call does not.
    expect(error.details['origin']).toBeUndefined()
  })

  test('its text is for people', () => {
    expect(`${y as string}`).toBe('tensor f32[2,3]')
    expect(String(y)).toBe('tensor f32[2,3]')
  })

  test('it is no condition; whether it is there may be asked', () => {
    expect(mistake(() => condition(here, x))).toMatchObject({
      code: 'model/tensor-as-condition',
      details: { origin: here },
      message: expect.stringMatching(/where\(.*cond\(.*x !== undefined/),
    })
    expect([0, '', undefined, null, false, 'a'].map(v => condition(here, v))).toEqual([
      0,
      '',
      undefined,
      null,
      false,
      'a',
    ])
  })

  test('a function that is not there', () => {
    const rellu = (): unknown =>
      quern.$callMethod(here, nn as unknown as { rellu: () => unknown }, 'rellu', 'nn.rellu')()
    expect(mistake(rellu).message).toMatch(/nn\.rellu is not a function: did you mean relu\?/)
    const method = (): unknown => quern.$callMethod(here, x as unknown as { relu: () => unknown }, 'relu', 'x.relu')()
    expect(mistake(method).message).toMatch(/a tensor has no methods/)
    expect(mistake(() => quern.$call(here, undefined as never, 'f')()).message).toMatch(/f is not a function/)
  })
})
