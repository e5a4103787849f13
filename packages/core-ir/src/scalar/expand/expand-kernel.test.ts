/** @file Legalisation keeps what a kernel computes, shares what it may, and leaves basic ops only. */
import { describe, expect, test } from 'vitest'
import * as ix from '../../index/index-expr.ts'
import { LoopBuilder } from '../../loop/builder.ts'
import type { Kernel, Param, Stmt } from '../../loop/kernel.ts'
import { printKernel } from '../../loop/print.ts'
import { kernelDiagnostics } from '../../loop/verify.ts'
import { visitStmts } from '../../loop/walk.ts'
import { type Scalar, binary, cast, childrenOf, indexScalar, literal, load, unary } from '../scalar.ts'
import { expandKernel } from './expand-kernel.ts'
import { isExpanded } from './expansions.ts'

const param = (name: string, access: Param['access'], dtype: Param['dtype'] = 'f32'): Param => ({
  name,
  dtype,
  shape: [ix.constant(8)],
  access,
})
const kernelOf = (params: readonly Param[], write: (b: LoopBuilder) => void): Kernel => {
  const b = new LoopBuilder(params.map(p => p.name))
  write(b)
  return { name: 'k', symbols: [], params, body: b.finish(), origins: [] }
}
const x = (i: ix.IndexLike): Scalar => load('x', 'f32', [ix.toIndex(i)])
const lets = (k: Kernel): string[] => {
  const found: string[] = []
  visitStmts(k.body, s => {
    if (s.kind === 'let') found.push(s.name)
  })
  return found
}
const scalarsOf = (s: Stmt): Scalar[] =>
  s.kind === 'let' || s.kind === 'store' || s.kind === 'accumulate' ? [s.value] : s.kind === 'if' ? [s.condition] : []
const everyScalar = (k: Kernel): Scalar[] => {
  const found: Scalar[] = []
  const visit = (s: Scalar): void => {
    found.push(s)
    childrenOf(s).forEach(visit)
  }
  visitStmts(k.body, s => scalarsOf(s).forEach(visit))
  return found
}

const sinCos = kernelOf([param('x', 'read'), param('y', 'write')], b =>
  b.for('i', 2, i =>
    b.for(
      'v',
      4,
      v => {
        const at = ix.add(ix.mul(i, 4), v)
        b.store({ name: 'y' }, [at], binary('add', unary('sin', x(at)), unary('cos', x(at))))
      },
      'vector',
    ),
  ),
)

test('sin x + cos x loads once, reduces its argument once, and has one rare case', () => {
  const k = expandKernel(sinCos)
  expect(kernelDiagnostics(k)).toEqual([])
  expect(everyScalar(k).filter(s => s.kind === 'load' && s.buffer === 'x')).toHaveLength(1)
  expect(everyScalar(k).filter(s => s.kind === 'unary' && s.op === 'round')).toHaveLength(1)
  expect(printKernel(k).match(/\bif\b/g)).toHaveLength(1)
  expect(everyScalar(k).some(s => (s.kind === 'unary' || s.kind === 'binary') && isExpanded(s.op))).toBe(false)
})

describe('sharing', () => {
  const params = [param('x', 'read_write'), param('y', 'write')]
  const y = { name: 'y' }
  test('a load used by two statements is named once', () => {
    const k = expandKernel(
      kernelOf(params, b => {
        b.store(y, [0], binary('mul', x(0), x(1)))
        b.store(y, [1], binary('mul', x(0), x(2)))
      }),
    )
    expect(lets(k)).toEqual(['x_at'])
  })
  test('a store to the buffer ends it', () => {
    const k = expandKernel(
      kernelOf(params, b => {
        b.store(y, [0], binary('mul', x(0), x(0)))
        b.store({ name: 'x' }, [3], literal(1, 'f32'))
        b.store(y, [1], binary('mul', x(0), x(0)))
      }),
    )
    expect(lets(k)).toEqual(['x_at', 'x_at_1'])
  })
  test('a loop that stores to the buffer sees its own stores', () => {
    const k = expandKernel(
      kernelOf(params, b => {
        b.store(y, [0], unary('exp', x(0)))
        b.for('i', 4, i => {
          b.store(y, [i], unary('exp', x(0)))
          b.store({ name: 'x' }, [0], literal(2, 'f32'))
        })
        b.store(y, [5], unary('exp', x(0)))
      }),
    )
    expect(everyScalar(k).filter(s => s.kind === 'load' && s.buffer === 'x')).toHaveLength(3)
  })
  test('a loop that does not store to it uses the outer name', () => {
    const k = expandKernel(
      kernelOf([param('x', 'read'), param('y', 'write')], b => {
        b.store(y, [0], unary('exp', x(0)))
        b.for('i', 4, i => b.store(y, [i], unary('exp', x(0))))
      }),
    )
    expect(everyScalar(k).filter(s => s.kind === 'load')).toHaveLength(1)
  })
  test('what follows a loop is shared as well', () => {
    const k = expandKernel(
      kernelOf(params, b => {
        b.for('i', 4, i => b.store({ name: 'x' }, [i], literal(1, 'f32')))
        b.store(y, [0], binary('mul', x(0), x(0)))
      }),
    )
    expect(lets(k)).toEqual(['x_at'])
  })
  test('names inside a branch end with it', () => {
    const k = expandKernel(
      kernelOf(params, b => {
        b.if(binary('gt', x(1), literal(0, 'f32')), () => b.store(y, [0], unary('exp', x(0))))
        b.store(y, [1], unary('exp', x(0)))
      }),
    )
    expect(kernelDiagnostics(k)).toEqual([])
    expect(everyScalar(k).filter(s => s.kind === 'load' && s.key.startsWith('x[0]'))).toHaveLength(2)
  })
  test('a subscript that is data is expanded too', () => {
    const at = ix.min(ix.fromScalar(cast(unary('exp', x(0)), 'i32')), ix.constant(7))
    const k = expandKernel(kernelOf(params, b => b.store(y, [0], x(ix.max(at, 0)))))
    expect(lets(k).length).toBeGreaterThan(3)
    expect(kernelDiagnostics(k)).toEqual([])
  })
})

test('half arithmetic is widened, and rounded after every op', () => {
  const h = load('x', 'f16', [ix.constant(0)])
  const kernel = kernelOf([param('x', 'read', 'f16'), param('y', 'read_write', 'f16')], b => {
    b.store(
      { name: 'y' },
      [0],
      binary('mul', binary('add', h, literal(1, 'f16')), cast(indexScalar(ix.constant(3)), 'f16')),
    )
    b.accumulate({ name: 'y' }, [0], 'sum', unary('exp', h))
  })
  const halfOps = (k: Kernel): Scalar[] =>
    everyScalar(k).filter(
      s => (s.kind === 'unary' && s.operand.dtype === 'f16') || (s.kind === 'binary' && s.lhs.dtype === 'f16'),
    )
  const k = expandKernel(kernel)
  expect(kernelDiagnostics(k)).toEqual([])
  expect(halfOps(k)).toEqual([])
  expect(everyScalar(k).filter(s => s.kind === 'cast' && s.dtype === 'f16').length).toBeGreaterThanOrEqual(4)
  expect(k.body.some(s => s.kind === 'accumulate')).toBe(false)
  const native = expandKernel(kernel, { f16: 'native' })
  expect(halfOps(native).length).toBe(2)
  expect(native.body.some(s => s.kind === 'accumulate')).toBe(true)
})

test.each(['exp', 'log', 'sin', 'cos', 'tanh', 'erf', 'sigmoid'] as const)('expanding %s twice changes nothing', op => {
  const k = expandKernel(
    kernelOf([param('x', 'read'), param('y', 'write')], b => b.store({ name: 'y' }, [0], unary(op, x(0)))),
  )
  expect(kernelDiagnostics(k)).toEqual([])
  expect(printKernel(expandKernel(k))).toBe(printKernel(k))
})
test('expanding pow twice changes nothing', () => {
  const k = expandKernel(
    kernelOf([param('x', 'read'), param('y', 'write')], b => b.store({ name: 'y' }, [0], binary('pow', x(0), x(1)))),
  )
  expect(kernelDiagnostics(k)).toEqual([])
  expect(printKernel(expandKernel(k))).toBe(printKernel(k))
})
