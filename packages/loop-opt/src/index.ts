/** @file Lowering of regions to loop nests, schedule primitives, scheduling rules, cost model and memory plan. */
export * from './lower/lowered-region.ts'
