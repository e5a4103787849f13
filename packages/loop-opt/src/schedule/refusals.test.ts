/** @file Every refusal of a schedule: one small kernel and one call for each code, and no code without a row. */
import { readFileSync, readdirSync } from 'node:fs'
import { isQuernError } from '@quern/artifact'
import { GraphBuilder, parseKernel, tensorType } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { lowerProgram } from '../lower-program.ts'
import { gemm } from '../rules/gemm.ts'
import { wasmTarget } from '../target/wasm.ts'
import { programOf } from '../testing/graphs.ts'
import { convRegion, mapRegion, matmulRegion, rowRegion } from '../testing/regions.ts'
import { primitives as p } from './primitives.ts'
import { type Schedule, scheduleOf } from './schedule.ts'
import { parseTrace, replay } from './trace.ts'

const map = (): Schedule => scheduleOf(mapRegion('n'))
const matmul = (): Schedule => scheduleOf(matmulRegion(4, 6, 5))
const rows = (): Schedule => scheduleOf(rowRegion('m', 12))
const of = (text: string): Schedule => scheduleOf(parseKernel(text))
const flat = (): Schedule =>
  of('kernel f(read x: f32[10], write y: f32[10]) { for i < 10 { store y[i] = x[i] * 2.0 } }')
const inPlace = (): Schedule => of('kernel f(read_write y: f32[10]) { for i < 10 { store y[i] = y[i] * 2.0 } }')
const scan = (): Schedule => of('kernel f(read_write y: f32[10]) { for i < 9 { store y[i + 1] = y[i] + y[i + 1] } }')
const scatter = (): Schedule =>
  of('kernel f(read p: i32[8], read x: f32[8], write y: f32[8]) { for i < 8 { store y[value(p[i])] = x[i] } }')
const wavefront = (): Schedule =>
  of('kernel f(read_write y: f32[8,8]) { for i < 7 { for j < 7 { store y[i + 1, j] = y[i, j + 1] } } }')
/** A body over one vector of 8 in, others out, and a local t. */
const local = (body: string): Schedule =>
  of(`kernel f(read_write x: f32[8], write y: f32[8], write z: f32[8]) { alloc private t: f32[8]\n ${body} }`)
/** Two loops that compute something alike. */
const alike = (first = 'let e = exp(x[i])', second = 'let f = exp(x[j])', count = 8): Schedule =>
  local(`for i < 8 { ${first} store y[i] = e } for j < ${count} { ${second} store z[j] = f }`)
const square = (body: string): Schedule =>
  of(`kernel f(read x: f32[8,8], read_write y: f32[8,8], write z: f32[8,8]) { ${body} }`)
const sum = (body: string): Schedule =>
  of(`kernel f<n: 1..>(read x: f32[8,4], read_write s: f32[1], write z: f32[n]) { ${body} }`)
/** x is copied by threads, k at a time. */
const threads = (body = 'for k < 8 { store y[g, t] = x[k] }', extent: number | string = 4): Schedule =>
  of(`kernel f<n: 1..>(read x: f32[8], write y: f32[2,${extent}]) {
    for workgroup.x g < 2 { for thread.x t < ${extent} { ${body} } }
  }`)
/** As a trace from a file says it: nothing has checked its arguments. */
const said = (s: Schedule, trace: string): Schedule => replay(s.kernel, parseTrace(trace))

type Row = readonly [code: string, edit: () => unknown]

/** What finds its axes by name, asked for one that is not there. */
const nowhere: readonly Row[] = Object.entries({
  bind: 'bind("q", "workgroup.x")',
  blockSum: 'blockSum("q", 2)',
  computeAt: 'computeAt("q", "i")',
  fission: 'fission("q")',
  fuse: 'fuse("q", "i")',
  hoist: 'hoist("x", "q")',
  hoistIf: 'hoistIf("q")',
  parallel: 'parallel("q")',
  partition: 'partition("q")',
  reorder: 'reorder("i", "q")',
  rfactor: 'rfactor("q", "i")',
  split: 'split("q", 4)',
  stage: 'stage("x", "q", {"space":"private"})',
  tabulate: 'tabulate("e", "q")',
  tensorize: 'tensorize("q", "madd")',
  unroll: 'unroll("q")',
  vectorize: 'vectorize("q")',
}).map(([primitive, trace]): Row => [`${primitive}-no-such-axis`, () => said(flat(), trace)])

const refusals: readonly Row[] = [
  ...nowhere,
  ['split-not-divisible', () => p.split(flat(), 'i', 4)],
  ['split-not-divisible', () => p.split(map(), 'y_i', 4)],
  ['split-bad-factor', () => p.split(flat(), 'i', 0)],
  ['split-not-serial', () => p.split(p.unroll(flat(), 'i'), 'i', 5)],
  ['split-overlap-not-a-pure-map', () => p.split(inPlace(), 'i', 4, { tail: 'overlap' })],
  ['split-overlap-not-a-pure-map', () => p.split(matmul(), 'acc_k', 4, { tail: 'overlap' })],
  ['split-pad-reaches-outside', () => p.split(rows(), 'y_j', 5, { tail: 'pad' })],
  ['split-pad-reaches-outside', () => p.split(matmul(), 'acc_k', 4, { tail: 'pad' })],
  ['split-pad-reaches-outside', () => p.split(flat(), 'i', 32, { tail: 'pad' })],
  ['split-not-a-reduction', () => p.split(flat(), 'i', 4, { tail: 'mask' })],
  ['reorder-dependence', () => p.reorder(wavefront(), 'j', 'i')],
  ['reorder-reassociates', () => p.reorder(scheduleOf(convRegion(1, 1, 4, 4)), 'acc_v', 'acc_u')],
  ['reorder-not-perfectly-nested', () => p.reorder(matmul(), 'acc_i', 'y_i')],
  ['fuse-not-perfectly-nested', () => p.fuse(matmul(), 'acc_i', 'acc_k')],
  ['unroll-extent', () => p.unroll(map(), 'y_i')],
  ['vectorize-extent', () => p.vectorize(flat(), 'i')],
  ['vectorize-dependence', () => p.vectorize(p.split(rows(), 's_k', 4), 's_k_i')],
  ['vectorize-dependence', () => p.vectorize(p.split(scatter(), 'i', 4), 'i_i')],
  ['vectorize-dependence', () => p.vectorize(p.split(scan(), 'i', 4, { tail: 'peel' }), 'i_i')],
  ['vectorize-body', () => p.vectorize(matmul(), 'acc_i')],
  ['parallel-dependence', () => p.parallel(scan(), 'i')],
  ['parallel-dependence', () => p.parallel(scatter(), 'i')],
  ['parallel-not-outermost', () => p.parallel(matmul(), 'y_j')],
  ['parallel-writes-outer-private', () => p.parallel(rows(), 's_i')],
  ['bind-order', () => p.bind(flat(), 'i', 'thread.x')],
  ['bind-dependence', () => p.bind(scan(), 'i', 'workgroup.x')],
  ['bind-writes-outer-private', () => p.bind(rows(), 's_i', 'workgroup.x')],
  [
    'bind-unbound-write',
    () =>
      p.bind(
        of(
          'kernel f(read x: f32[8], write y: f32[8], write z: f32[8]) { for i < 8 { store y[i] = x[i] } for j < 8 { store z[j] = x[j] } }',
        ),
        'i',
        'workgroup.x',
      ),
  ],
  ['computeAt-overlaps', () => p.computeAt(matmul(), 'acc_init', 'acc_k')],
  ['computeAt-overlaps', () => p.computeAt(rows(), 'y', 's_k')],
  ['computeAt-not-covered', () => p.computeAt(p.split(map(), 'y_i', 4, { tail: 'peel' }), 't', 'y_i_i')],
  ['computeAt-subscripts', () => p.computeAt(p.split(matmul(), 'acc_init_i', 2), 'acc_init_i_o', 'acc_i')],
  ['inline-writers', () => p.inline(rows(), 's')],
  ['inline-not-a-local', () => p.inline(flat(), 'y')],
  [
    'fission-dependence',
    () =>
      p.fission(
        of('kernel f(read_write y: f32[9], write z: f32[9]) { for i < 8 { store z[i] = y[i] store y[i + 1] = 2.0 } }'),
        'i',
      ),
  ],
  ['stage-written', () => p.stage(rows(), 's', 's_k', { space: 'register' })],
  ['stage-size', () => p.stage(map(), 'x', 'y_i', { space: 'register', around: true })],
  ['stage-not-updated', () => p.stage(rows(), 'x', 's_i', { space: 'register', update: true })],
  ['rfactor-reassociates', () => p.rfactor(p.split(rows(), 's_k', 4), 's_k_i', 's_k_o')],
  [
    'rfactor-chooses-element',
    () => p.rfactor(p.split(scheduleOf(rowRegion('m', 12), { permits: 'reassociates' }), 's_k', 4), 's_k_i', 's_i'),
  ],
  ['tensorize-no-match', () => p.tensorize(scheduleOf(rowRegion(4, 12), { permits: 'reassociates' }), 's_k', 'madd')],
  ['tensorize-numerics', () => p.tensorize(matmul(), 'acc_k', 'madd')],
  ['tensorize-no-such-intrinsic', () => p.tensorize(matmul(), 'acc_k', 'nothing')],
  ['setSpace-extent', () => p.setSpace(rows(), 's', 'register')],
  ['setSpace-shared-place', () => p.setSpace(matmul(), 'acc', 'shared')],
  ['partition-no-condition', () => p.partition(flat(), 'i')],
  ['hoist-nothing-invariant', () => p.hoist(flat(), 'x', 'i').kernel && p.hoist(matmul(), 'b', 'acc_i')],
  ['hoist-written', () => p.hoist(inPlace(), 'y', 'i')],
  ['hoistIf-no-if', () => p.hoistIf(flat(), 'i')],
  ['layout-not-a-bijection', () => p.layout(matmul(), 'b', [{ dim: 0 }])],
  [
    'layout-local-padding',
    () => p.layout(matmul(), 'acc', [{ dim: 0, part: 'block', by: 3 }, { dim: 1 }, { dim: 0, part: 'inside', by: 3 }]),
  ],
  ['layout-no-such-buffer', () => p.layout(matmul(), 'nobody', [{ dim: 0 }, { dim: 1 }])],
  ['split-unknown-tail', () => said(flat(), 'split("i", 4, {"tail":"cut"})')],
  ['split-guards-barrier', () => p.split(of('kernel f() { for i < 10 { barrier } }'), 'i', 4, { tail: 'guard' })],
  [
    'split-overlap-in-place',
    () =>
      p.split(of('kernel f(read_write y: f32[10]) { for i < 10 { store y[i] = 1.0 } }'), 'i', 4, { tail: 'overlap' }),
  ],
  ['reorder-no-axes', () => p.reorder(matmul())],
  ['reorder-no-axes', () => p.reorder(matmul(), 'acc_i', 'acc_i')],
  [
    'reorder-extent-depends',
    () => p.reorder(square('for i < 8 { for j < i + 1 { store y[i, j] = x[i, j] } }'), 'j', 'i'),
  ],
  ['fuse-not-serial', () => p.fuse(p.unroll(matmul(), 'y_j'), 'y_i', 'y_j')],
  ['fuse-extent-depends', () => p.fuse(square('for i < 8 { for j < i + 1 { store y[i, j] = x[i, j] } }'), 'i', 'j')],
  ['unroll-not-serial', () => p.unroll(p.parallel(flat(), 'i'), 'i')],
  ['vectorize-not-serial', () => p.vectorize(square('for vector i < 4 { store y[0, i] = x[0, i] }'), 'i')],
  ['vectorize-nested', () => p.vectorize(square('for vector i < 4 { for j < 4 { store y[i, j] = x[i, j] } }'), 'j')],
  ['parallel-not-serial', () => p.parallel(p.unroll(flat(), 'i'), 'i')],
  ['parallel-nested', () => p.parallel(square('for i < 8 { for parallel j < 8 { store y[i, j] = x[i, j] } }'), 'i')],
  ['parallel-nested', () => p.parallel(square('for i < 8 { barrier }'), 'i')],
  ['parallel-serial-writes', () => p.parallel(local('for i < 8 { store y[i] = 1.0 } store z[0] = 1.0'), 'i')],
  ['bind-unknown-tag', () => said(flat(), 'bind("i", "workgroup.w")')],
  ['bind-not-serial', () => p.bind(p.unroll(flat(), 'i'), 'i', 'workgroup.x')],
  ['bind-taken', () => p.bind(p.bind(matmul(), 'y_i', 'workgroup.x'), 'y_j', 'workgroup.x')],
  [
    'bind-taken',
    () =>
      p.bind(
        of(`kernel f(read x: f32[2,4,4], write y: f32[2,4,4]) {
          for workgroup.x i < 2 { for j < 4 { for thread.x k < 4 { store y[i, j, k] = x[i, j, k] } } }
        }`),
        'j',
        'thread.x',
      ),
  ],
  [
    'bind-shared-inside',
    () => p.bind(threads('for i < 4 { alloc shared own: f32[4]\n store own[0] = x[i] }'), 'i', 'thread.y'),
  ],
  [
    'bind-extent',
    () => p.bind(p.bind(p.split(map(), 'y_i', 4, { tail: 'short' }), 'y_i_o', 'workgroup.x'), 'y_i_i', 'thread.x'),
  ],
  [
    'bind-extents-differ',
    () =>
      p.bind(
        square('for workgroup.x g < 8 { for a < 4 { store y[g, a] = 1.0 } for b < 8 { store z[g, b] = 1.0 } }'),
        ['a', 'b'],
        'thread.x',
      ),
  ],
  [
    'bind-workgroups-meet',
    () =>
      p.bind(local('for i < 8 { store x[i] = 1.0 } for j < 8 { store y[j] = x[7 - j] }'), ['i', 'j'], 'workgroup.x'),
  ],
  [
    'bind-workgroups-meet',
    () =>
      p.bind(local('for i < 8 { store y[i] = x[7 - i] } for j < 8 { store x[j] = 1.0 }'), ['i', 'j'], 'workgroup.x'),
  ],
  ['computeAt-not-siblings', () => p.computeAt(matmul(), 'acc_init', 'acc_init_j')],
  [
    'computeAt-not-serial',
    () => p.computeAt(local('for parallel a < 8 { store z[a] = x[a] } for i < 8 { store y[i] = z[i] }'), 'a', 'i'),
  ],
  [
    'computeAt-no-axis',
    () => {
      const { kernel } = local('store t[0] = 1.0\n for i < 8 { store y[i] = t[0] }')
      return p.computeAt(
        scheduleOf({ kernel, stages: [{ name: 't', buffer: 't', spatial: [], reduce: [], role: 'store' }] }),
        't',
        'i',
      )
    },
  ],
  [
    'computeAt-writes',
    () =>
      p.computeAt(
        local('for a < 8 { store t[a] = x[a]\n store z[a] = x[a] } for i < 8 { store y[i] = t[i] }'),
        'a',
        'i',
      ),
  ],
  [
    'computeAt-order',
    () =>
      p.computeAt(
        local('for a < 8 { store t[a] = x[a] } for b < 8 { store x[b] = 0.0 } for i < 8 { store y[i] = t[i] }'),
        'a',
        'i',
      ),
  ],
  [
    'computeAt-order',
    () =>
      p.computeAt(
        local('for i < 8 { store t[i] = x[i] } for b < 8 { store t[b] = 0.0 } for q < 8 { store y[q] = t[q] }'),
        'q',
        'i',
      ),
  ],
  [
    'computeAt-unused',
    () => p.computeAt(local('for a < 8 { store t[a] = x[a] } for i < 8 { store y[i] = x[i] }'), 'a', 'i'),
  ],
  [
    'computeAt-used-elsewhere',
    () =>
      p.computeAt(
        local(`for a < 8 { store t[a] = x[a] }
          for i < 1 { for j < 8 { store y[j] = t[j] } for l < 8 { store z[l] = t[l] } }`),
        'a',
        'j',
      ),
  ],
  [
    'computeAt-used-elsewhere',
    () =>
      p.computeAt(
        local(`for i < 1 { for j < 8 { store t[j] = x[j] } for l < 8 { store t[l] = t[l] + 1.0 } }
          for q < 8 { store y[q] = t[q] }`),
        'q',
        'j',
      ),
  ],
  [
    'computeAt-not-covered',
    () => p.computeAt(local('for i < 4 { store t[i] = x[i] } for q < 8 { store y[q] = t[q] }'), 'q', 'i'),
  ],
  [
    'computeAt-flow',
    () => p.computeAt(local('for i < 8 { store t[i] = x[i] } for q < 8 { store y[q] = x[q] }'), 'q', 'i'),
  ],
  [
    'computeAt-subscripts',
    () =>
      p.computeAt(
        local('for a < 8 { for b < 8 { store t[a] = x[b]\n store t[b] = x[a] } } for i < 8 { store y[i] = t[i] }'),
        'a',
        'i',
      ),
  ],
  [
    'inline-not-a-map',
    () => p.inline(local('for a < 8 { store t[a] = 1.0\n store z[a] = 1.0 } store y[0] = t[0]'), 't'),
  ],
  ['inline-not-a-map', () => p.inline(local('if x[0] > 0.0 { store t[0] = 1.0 } store y[0] = t[0]'), 't')],
  ['inline-subscripts', () => p.inline(local('for a < 8 { store t[7 - a] = x[a] } store y[0] = t[0]'), 't')],
  ['inline-reads-itself', () => p.inline(local('for a < 8 { store t[a] = t[a] } store y[0] = t[0]'), 't')],
  [
    'inline-inputs-change',
    () =>
      p.inline(
        local('for a < 8 { store t[a] = x[a] } for b < 8 { store x[b] = 0.0 } for i < 8 { store y[i] = t[i] }'),
        't',
      ),
  ],
  [
    'inline-inputs-change',
    () => p.inline(local('for a < 8 { store t[a] = x[a] } for i < 8 { store x[i] = t[7 - i] }'), 't'),
  ],
  ['inline-used-elsewhere', () => p.inline(local('store y[0] = t[0]\n for a < 8 { store t[a] = x[a] }'), 't')],
  [
    'inline-guarded-use',
    () =>
      p.inline(
        local('for a < 8 { store t[a] = x[a] } for i < 9 { store y[min(i, 7)] = (i32[i] < i32[8] ? t[i] : 0.0) }'),
        't',
      ),
  ],
  ['fission-not-serial', () => p.fission(p.unroll(flat(), 'i'), 'i')],
  ['fission-body', () => p.fission(local('for i < 8 { let v = x[i]\n store y[i] = v\n store z[i] = v }'), 'i')],
  [
    'fission-shared',
    () =>
      p.fission(threads('for k < 8 { alloc shared own: f32[4]\n store own[0] = x[k]\n store y[g, t] = own[0] }'), 'k'),
  ],
  ['fission-nothing-to-part', () => p.fission(flat(), 'i')],
  ['stage-no-such-buffer', () => p.stage(rows(), 'nobody', 's_i', { space: 'private' })],
  [
    'stage-local',
    () =>
      p.stage(local('for i < 8 { alloc private u: f32[1]\n store u[0] = x[i]\n store y[i] = u[0] }'), 'u', 'i', {
        space: 'private',
      }),
  ],
  ['stage-unused', () => p.stage(rows(), 'x', 's_init_i', { space: 'private' })],
  [
    'stage-conditional',
    () => p.stage(local('for i < 8 { if i32[i] < i32[4] { store y[i] = t[i] } }'), 't', 'i', { space: 'private' }),
  ],
  [
    'stage-overlaps',
    () =>
      p.stage(sum('for parallel i < 8 { for k < 4 { accumulate s[0] sum= x[i, k] } }'), 's', 'k', {
        space: 'private',
        update: true,
      }),
  ],
  ['stage-multiples-update', () => p.stage(inPlace(), 'y', 'i', { space: 'private', update: true, multiples: [2] })],
  ['tabulate-no-such-name', () => p.tabulate(alike(), 'f', 'i', 'j')],
  ['tabulate-depends', () => p.tabulate(alike('let d = x[i] let e = exp(d)'), 'e', 'i', 'j')],
  ['tabulate-apart', () => p.tabulate(alike(), 'f', 'j', 'i')],
  ['tabulate-extent', () => p.tabulate(alike('let e = exp(x[i])', 'let f = exp(x[j])', 7), 'e', 'i', 'j')],
  ['tabulate-not-alike', () => p.tabulate(alike('let e = exp(x[i])', 'let f = sin(x[j])'), 'e', 'i', 'j')],
  ['tabulate-written', () => p.tabulate(alike('let e = exp(x[i])', 'let f = exp(x[j]) store x[j] = f'), 'e', 'i', 'j')],
  ['stage-along-written', () => p.stage(inPlace(), 'y', 'i', { space: 'private', update: true, along: 'i' })],
  ['stage-permute', () => p.stage(matmul(), 'b', 'acc_i', { space: 'private', permute: [0, 0] })],
  ['stage-threads-space', () => p.stage(threads(), 'x', 'k', { space: 'private', threads: ['t'] })],
  [
    'stage-threads-outside',
    () =>
      p.stage(threads('for i < 8 { store y[g, t] = x[i] } for k < 8 { store y[g, t] = x[k] }'), 'x', 'k', {
        space: 'shared',
        threads: ['i'],
      }),
  ],
  [
    'stage-barrier-under-if',
    () =>
      p.stage(threads('if i32[t] < i32[2] { for k < 8 { store y[g, t] = x[k] } }'), 'x', 'k', {
        space: 'shared',
        threads: ['t'],
      }),
  ],
  [
    'stage-threads-extent',
    () => p.stage(threads('for k < 8 { store y[g, t] = x[k] }', 'n'), 'x', 'k', { space: 'shared', threads: ['t'] }),
  ],
  [
    'stage-lanes',
    () =>
      p.stage(threads('for k < 1 { for l < 8 { store y[g, t] = x[l] } }'), 'x', 'k', {
        space: 'shared',
        threads: ['t'],
        lanes: 3,
      }),
  ],
  ['rfactor-not-inside', () => p.rfactor(matmul(), 'y_i', 'acc_i')],
  ['rfactor-extent', () => p.rfactor(scheduleOf(matmulRegion(4, 6, 'k')), 'acc_k', 'acc_k')],
  ['rfactor-not-a-reduction', () => p.rfactor(matmul(), 'y_j', 'y_i')],
  ['rfactor-no-buffer', () => p.rfactor(sum('for k < 8 { accumulate nobody[0] sum= x[k, 0] }'), 'k', 'k')],
  [
    'rfactor-reads-accumulator',
    () => p.rfactor(sum('for k < 8 { for j < 4 { accumulate s[0] sum= x[k, j] * s[0] } }'), 'j', 'k'),
  ],
  [
    'rfactor-not-around',
    () => p.rfactor(sum('for k < 8 { for j < 4 { let v = x[k, j] } accumulate s[0] sum= x[k, 0] }'), 'j', 'k'),
  ],
  ['blockSum-bad-length', () => p.blockSum(matmul(), 'acc_k', 0)],
  ['blockSum-not-serial', () => p.blockSum(p.unroll(matmul(), 'acc_k'), 'acc_k', 2)],
  ['blockSum-not-a-sum', () => p.blockSum(flat(), 'i', 2)],
  ['blockSum-no-buffer', () => p.blockSum(sum('for k < 8 { accumulate nobody[0] sum= x[k, 0] }'), 'k', 2)],
  [
    'blockSum-chooses-element',
    () => p.blockSum(sum('for k < 8 { for j < 4 { accumulate z[min(j, n - 1)] sum= x[k, j] } }'), 'k', 2),
  ],
  ['setSpace-not-a-local', () => p.setSpace(rows(), 'x', 'register')],
  ['setSpace-too-many', () => p.setSpace(scheduleOf(matmulRegion(17, 16, 5)), 'acc', 'register')],
  ['partition-not-serial', () => p.partition(p.unroll(flat(), 'i'), 'i')],
  ['hoist-unused', () => p.hoist(matmul(), 'bias', 'acc_i')],
  ['hoistIf-varies', () => p.hoistIf(local('for i < 8 { if x[i] > 0.0 { store y[i] = 1.0 } }'), 'i')],
  ['hoistIf-varies', () => p.hoistIf(local('for i < 8 { if x[0] > 0.0 { store x[i] = -1.0 } }'), 'i')],
  ['hoistIf-threads', () => p.hoistIf(threads('if i32[g] < i32[1] { let v = 1.0 }'), 't')],
  ['layout-has-one', () => [1, 2].reduce(s => p.layout(s, 'b', [{ dim: 1 }, { dim: 0 }]), matmul())],
  ['trace-syntax', () => parseTrace('split(')],
  ['trace-primitive', () => said(flat(), 'halve("i")')],
  ['unknown-kernel', () => lowerProgram(programOf(one()), wasmTarget(), { schedules: new Map([['nobody', []]]) })],
  ['gemm-not-a-contraction', () => gemm(mapRegion(4), { mr: 2, nr: 4, pack: 'none' })],
  ['gemm-tile', () => gemm(matmulRegion(4, 6, 5), { mr: 2, nr: 3, pack: 'none' })],
]

const one = () => {
  const b = new GraphBuilder('one')
  return b.finish({ y: b.one('neg', [b.input('x', tensorType('f32', [4]))]) })
}

const codeOf = (edit: () => unknown): string => {
  try {
    edit()
  } catch (error) {
    if (isQuernError(error)) return error.code
    throw error
  }
  return 'nothing was refused'
}

test.each(refusals)('refuses: schedule/%s', (code, edit) => {
  expect(codeOf(edit)).toBe(`schedule/${code}`)
})

/** The codes that a source file can throw, as they are spelled there. */
const codesIn = (text: string): string[] => {
  const found: string[] = []
  const literals = (expression: string): string[] => [...expression.matchAll(/'([\w-]+)'/g)].map(m => m[1] ?? '')
  for (const [, primitive = '', reason = ''] of text.matchAll(/scheduleError\(\s*[\w.]+,\s*([^,]+),\s*([^,]+),/g))
    found.push(
      ...(literals(primitive).length > 0 ? literals(primitive) : Object.keys(p)).flatMap(of =>
        (reason === 'reason'
          ? [...text.matchAll(/\brefuse\(\s*'([\w-]+)'/g)].map(m => m[1] ?? '')
          : literals(reason)
        ).map(why => `${of}-${why}`),
      ),
    )
  found.push(...[...text.matchAll(/'schedule\/([\w-]+)'/g)].map(m => m[1] ?? ''))
  return found
}

test('every code in the source stands in the table, and none that no source has', () => {
  const root = new URL('..', import.meta.url)
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const sources = files.filter(f => f.endsWith('.ts') && !f.endsWith('.test.ts'))
  const thrown = new Set(sources.flatMap(f => codesIn(readFileSync(new URL(f, root), 'utf8'))))
  // These take no axis.
  for (const primitive of ['inline', 'layout', 'setSpace']) thrown.delete(`${primitive}-no-such-axis`)
  expect(thrown.size).toBeGreaterThan(100)
  expect([...new Set(refusals.map(([code]) => code))].sort()).toEqual([...thrown].sort())
})
