/** @file Makes a scheduled kernel ready for code: see docs/architecture.md, "What generators may rely on". */
import type { Kernel } from '@quern/core-ir'
import { dropLocalUnits } from '../lower/collapse.ts'
import { expandUnroll } from './expand-unroll.ts'
import { simplifyKernel } from './simplify.ts'

export const legalise = (kernel: Kernel): Kernel => dropLocalUnits(simplifyKernel(expandUnroll(simplifyKernel(kernel))))
