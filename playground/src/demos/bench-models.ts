/** @file Models of the benchmarks that the page offers: those whose weights are below 3 MB. Each is loaded when its turn comes. */
import type { Model, Specs } from '@quern/artifact'

type Loader = () => Promise<{ readonly default: Model<Specs, Specs> }>

/** By the workload's name. */
export const benchModels: ReadonlyMap<string, Loader> = new Map<string, Loader>([
  ['sincos', () => import('@quern/bench/models/sincos') as ReturnType<Loader>],
  ['gelu', () => import('@quern/bench/models/gelu') as ReturnType<Loader>],
  ['matmul-256', () => import('@quern/bench/models/matmul-256') as ReturnType<Loader>],
  ['matmul-512', () => import('@quern/bench/models/matmul-512') as ReturnType<Loader>],
  ['matmul-1024', () => import('@quern/bench/models/matmul-1024') as ReturnType<Loader>],
  ['matmul-128x384x1536', () => import('@quern/bench/models/matmul-128x384x1536') as ReturnType<Loader>],
  ['conv-3x3', () => import('@quern/bench/models/conv-3x3') as ReturnType<Loader>],
  ['conv-1x1', () => import('@quern/bench/models/conv-1x1') as ReturnType<Loader>],
  ['conv-7x7', () => import('@quern/bench/models/conv-7x7') as ReturnType<Loader>],
  ['conv-depthwise', () => import('@quern/bench/models/conv-depthwise') as ReturnType<Loader>],
  ['softmax', () => import('@quern/bench/models/softmax') as ReturnType<Loader>],
  ['layer-norm', () => import('@quern/bench/models/layer-norm') as ReturnType<Loader>],
  ['mlp', () => import('@quern/bench/models/mlp') as ReturnType<Loader>],
  ['lstm', () => import('@quern/bench/models/lstm') as ReturnType<Loader>],
])
