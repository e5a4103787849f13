declare module '*?stages' {
  const stages: Readonly<Record<string, Readonly<Record<string, string>>>>
  export default stages
}
declare module 'virtual:test-digits' {
  const url: string
  export default url
}
