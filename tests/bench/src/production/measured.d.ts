/** What the build puts in the place of `measured:` imports: one network. */
declare module 'measured:quern' {
  import type { Model, Spec } from '@quern/artifact'
  const model: Model<{ x: Spec<'f32'> }, { y: Spec<'f32'> }>
  export default model
}
declare module 'measured:tfjs' {
  export { mlpTfjs as forward } from '../forwards/mlp.tfjs.ts'
}
declare module 'measured:jax' {
  export { mlpJax as forward } from '../forwards/mlp.jax.ts'
}
