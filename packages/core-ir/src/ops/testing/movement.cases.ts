/** @file Random cases of the ops that move elements. */
import type { HostTensor } from '../../host-tensor.ts'
import { isFloat } from '../../scalar/scalar-ops.ts'
import type { Draw, Property } from './draw.ts'
import {
  appendReference,
  broadcastReference,
  concatReference,
  gatherElementsReference,
  gatherReference,
  iotaReference,
  nonzeroReference,
  padReference,
  reshapeReference,
  scatterReference,
  scatterRowsReference,
  sliceReference,
  takeRowsReference,
  transposeReference,
  unsliceReference,
} from './movement.reference.ts'
import { numbersOf, tensorOf } from './support.ts'

const scattering = (d: Draw): { x: HostTensor; axis: number; given: number; reduction: string } => {
  const shape = d.extents(d.int(1, 3), 1)
  const reduction = d.of('none', 'add', 'mul', 'min', 'max')
  const dtype = d.number()
  return {
    x: reduction === 'add' || reduction === 'mul' ? d.summands(dtype, shape) : d.tensor(dtype, shape),
    reduction,
    ...d.axis(shape.length),
  }
}

export const movementCases: Readonly<Record<string, Property>> = {
  identity: d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape())
    return { operands: [x], expected: x }
  },
  'stop-gradient': d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape())
    return { operands: [x], expected: x }
  },
  constant: d => {
    const shape = d.shape(),
      dtype = d.dtypeFor('any')
    const x = d.tensor(dtype, shape)
    const values = [...numbersOf(x)]
    return { operands: [], attrs: { data: { kind: 'inline', values }, dtype, shape }, expected: x }
  },
  iota: d => {
    const shape = d.shape(1),
      axis = d.int(0, shape.length - 1),
      dtype = d.number()
    return { operands: [], attrs: { shape, axis, dtype }, expected: iotaReference(shape, axis, dtype) }
  },
  'dim-value': d => {
    const value = d.int(0, 1000),
      dtype = d.number()
    const counted = iotaReference([value + 1], 0, dtype)
    return { operands: [], attrs: { value, dtype }, expected: { dtype, shape: [], data: counted.data.slice(value) } }
  },
  broadcast: d => {
    const shape = d.shape(),
      kept = shape.slice(d.int(0, shape.length)).map(e => (d.flag() ? 1 : e))
    const x = d.tensor(d.dtypeFor('any'), kept)
    return { operands: [x], attrs: { shape }, expected: broadcastReference(x, shape) }
  },
  reshape: d => {
    const factors = d.extents(d.int(0, 4), d.of(0, 1, 1, 1), 4)
    // Neighbours merge at random, on either side, and ones are put in anywhere.
    const merged = (): number[] => {
      const shape: number[] = []
      for (const f of factors) {
        if (d.flag() && shape.length > 0) shape.push((shape.pop() ?? 1) * f)
        else shape.push(f)
        if (d.int(0, 3) === 0) shape.push(1)
      }
      return shape
    }
    const x = d.tensor(d.dtypeFor('any'), merged()),
      shape = merged()
    return { operands: [x], attrs: { shape }, expected: reshapeReference(x, shape) }
  },
  'reshape-to': d => {
    const shape = d.extents(d.int(1, 4), 1, 3)
    const count = shape.reduce((a, b) => a * b, 1)
    const x = d.tensor(d.dtypeFor('any'), d.flag() ? [count] : [...shape].reverse())
    const inferred = d.flag() ? d.int(0, shape.length - 1) : -1
    const written = shape.map((e, i) => (i === inferred ? -1 : e))
    const to = tensorOf(d.of('i64', 'i32'), [shape.length], i => written[i] ?? 0)
    return { operands: [x, to], expected: reshapeReference(x, shape) }
  },
  'broadcast-to': d => {
    const shape = d.extents(d.int(1, 4), 1, 3)
    const x = d.tensor(
      d.dtypeFor('any'),
      shape.slice(d.int(0, shape.length)).map(e => (d.flag() ? 1 : e)),
    )
    // Ones of the shape give way to dims of x as well.
    const own = (i: number): number | undefined => x.shape[i - (shape.length - x.shape.length)]
    const written = shape.map((e, i) => (own(i) === e && d.flag() ? 1 : e))
    const to = tensorOf('i64', [shape.length], i => written[i] ?? 0)
    return { operands: [x, to], expected: broadcastReference(x, shape) }
  },
  transpose: d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape(0, 4))
    const perm = x.shape.map((_, i) => i).sort(() => d.int(-1, 1))
    return { operands: [x], attrs: { perm }, expected: transposeReference(x, perm) }
  },
  slice: d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape(0, 3))
    const parts = x.shape.map(extent => {
      const step = d.of(1, 2, 3, -1, -2),
        start = d.int(0, Math.max(0, extent - 1))
      const room = extent === 0 ? 0 : Math.floor((step > 0 ? extent - 1 - start : start) / Math.abs(step)) + 1
      return { step, start, size: d.int(0, room) }
    })
    const starts = parts.map(p => p.start),
      sizes = parts.map(p => p.size),
      steps = parts.map(p => p.step)
    return { operands: [x], attrs: { starts, sizes, steps }, expected: sliceReference(x, starts, sizes, steps) }
  },
  unslice: d => {
    const x = d.tensor(d.number(), d.shape(0, 3))
    const parts = x.shape.map(extent => {
      const step = d.of(1, 2, 3, -1, -2),
        low = d.int(0, 2)
      const reach = Math.max(0, extent - 1) * Math.abs(step)
      return { step, start: step > 0 ? low : low + reach, extent: low + reach + d.int(1, 3) }
    })
    const starts = parts.map(p => p.start),
      steps = parts.map(p => p.step),
      shape = parts.map(p => p.extent)
    return { operands: [x], attrs: { starts, steps, shape }, expected: unsliceReference(x, starts, steps, shape) }
  },
  pad: d => {
    const x = d.tensor(d.number(), d.shape()),
      low = d.extents(x.shape.length, 0, 2),
      high = d.extents(x.shape.length, 0, 2),
      value = d.int(0, 9)
    return {
      operands: [x],
      attrs: { low, high, value },
      expected: padReference(x, low, high, isFloat(x.dtype) ? value : BigInt(value)),
    }
  },
  concat: d => {
    const shape = d.extents(d.int(1, 3)),
      axis = d.int(0, shape.length - 1),
      dtype = d.dtypeFor('any')
    const parts = Array.from({ length: d.int(1, 4) }, () =>
      d.tensor(
        dtype,
        shape.map((e, i) => (i === axis ? d.extent(0, 3) : e)),
      ),
    )
    return {
      operands: parts,
      attrs: { axis: d.flag() ? axis : axis - shape.length },
      expected: concatReference(parts, axis),
    }
  },
  gather: d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape(1)),
      axis = d.int(0, x.shape.length - 1)
    const dtype = d.dtypeFor('integer')
    const indices = d.ints(d.shape(0, 2), dtype.startsWith('u') ? 0 : -6, 6, dtype)
    return {
      operands: [x, indices],
      attrs: { axis: d.flag() ? axis : axis - x.shape.length },
      expected: gatherReference(x, indices, axis),
    }
  },
  'gather-elements': d => {
    const x = d.tensor(d.dtypeFor('any'), d.extents(d.int(1, 3), 1))
    const { axis, given } = d.axis(x.shape.length)
    const indices = d.ints(
      x.shape.map((e, i) => (i === axis ? d.extent(0, 5) : e)),
      -6,
      6,
      d.position(),
    )
    return { operands: [x, indices], attrs: { axis: given }, expected: gatherElementsReference(x, indices, axis) }
  },
  scatter: d => {
    const { x, axis, given, reduction } = scattering(d)
    const indices = d.ints(
      x.shape.map((e, i) => (i === axis ? d.extent(0, 5) : e)),
      -6,
      6,
      d.position(),
    )
    const updates = d.summands(x.dtype, indices.shape)
    return {
      operands: [x, indices, updates],
      attrs: { axis: given, reduction },
      expected: scatterReference(x, indices, updates, axis, reduction),
    }
  },
  'scatter-rows': d => {
    const { x, axis, given, reduction } = scattering(d)
    const indices = d.ints(d.shape(0, 2), -6, 6, d.position())
    const updates = d.summands(x.dtype, [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)])
    return {
      operands: [x, indices, updates],
      attrs: { axis: given, reduction },
      expected: scatterRowsReference(x, indices, updates, axis, reduction),
    }
  },
  append: d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape(1)),
      axis = d.int(0, x.shape.length - 1)
    const rows = d.tensor(
        x.dtype,
        x.shape.map((e, i) => (i === axis ? d.extent(0, 3) : e)),
      ),
      position = d.int(-3, 6)
    return {
      operands: [x, rows, tensorOf(d.position(), [], () => position)],
      attrs: { axis },
      expected: appendReference(x, rows, position, axis),
    }
  },
  'take-rows': d => {
    const x = d.tensor(d.number(), d.shape(1)),
      axis = d.int(0, x.shape.length - 1),
      extent = d.extent(),
      position = d.int(-3, 6)
    return {
      operands: [x, tensorOf('i32', [], () => position)],
      attrs: { axis, extent },
      expected: takeRowsReference(x, position, axis, extent),
    }
  },
  nonzero: d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape()),
      dtype = d.position()
    return { operands: [x], attrs: { dtype }, expected: nonzeroReference(x, dtype) }
  },
}
