/** @file The generated pages of docs/ are fresh; `npm run docs` writes them anew. */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { errorsPage, opsPage, passesPage, scalarsPage } from './generated-docs.ts'

const packages = fileURLToPath(new URL('../../packages', import.meta.url))

describe('docs', () => {
  it.each([
    ['ops.md', opsPage],
    ['scalars.md', scalarsPage],
    ['passes.md', passesPage],
    ['errors.md', () => errorsPage(packages)],
  ])('%s is fresh', async (file, page) => {
    await expect(page()).toMatchFileSnapshot(`../../docs/${file}`)
  })
})
