/** @file The families of schedules: the word that a region carries. */

export const regionKinds = [
  'elementwise',
  'reduction',
  'contraction',
  'attention',
  'convolution',
  'depthwise',
  'pool',
  'row',
  'gather',
  'scatter',
  'scan',
  'sort',
  'loops',
] as const
export type RegionKind = (typeof regionKinds)[number]
