/** @file What `inspect --stage memory` says: where buffers lie, the peak, and how near it is to the least that any plan could take. */
import { type Plan, printIndex } from '@quern/core-ir'
import { sizeOf } from '../cost/sizes.ts'
import { sizesToShow } from '../cost/cost-text.ts'

/** @param dims sizes to show; without them, the least and the largest */
export const memoryText = (plan: Plan, dims: Readonly<Record<string, number>> = {}): string => {
  const { entry, memory } = plan
  if (memory === undefined) return `${entry}: no memory plan`
  return [
    `${entry}: peak ${printIndex(memory.peak)} bytes, live-set lower bound ${printIndex(memory.lowerBound)} bytes`,
    ...sizesToShow(plan, dims).map(at => {
      const sizes = new Map(Object.entries(at))
      const [peak, bound] = [sizeOf(memory.peak, sizes), sizeOf(memory.lowerBound, sizes)]
      const where = Object.entries(at).map(([name, size]) => `${name} = ${size}`)
      const ratio = bound === 0 ? 1 : peak / bound
      return `  ${where.length === 0 ? '' : `at ${where.join(', ')}: `}${peak} bytes, ${ratio.toFixed(3)} of the bound`
    }),
    ...memory.slots.map(
      s => `  ${s.name}: ${printIndex(s.bytes)} bytes at ${printIndex(s.offset)}: ${s.tenants.join(', ')}`,
    ),
  ].join('\n')
}
