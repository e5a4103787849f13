/** @file `npm run ulp`: the accuracy of scalar expansions on every 997th of all single-precision numbers; about a minute. */
import base from '../../vitest.base.ts'

export default {
  ...base,
  test: {
    ...base.test,
    include: ['src/scalar/expand/testing/*.sweep.ts'],
    testTimeout: 600_000,
    reporters: ['default'],
  },
}
