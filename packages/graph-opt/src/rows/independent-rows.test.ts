/** @file Rows that are independent are found, and everything that ties rows together is refused. */
import { parseGraph } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { independentRows } from './independent-rows.ts'

const rowsOf = (inputs: string, body: string): string | undefined =>
  independentRows(parseGraph(`graph g<n: 1.., m: 1..>(${inputs}) {\n${body}\n}`))

test.each([
  ['a map', '%x: f32[n]', '%0 = sin(%x) : f32[n]\nreturn y = %0'],
  ['softmax over another dim', '%x: f32[n,m]', '%0 = softmax(%x) : f32[n,m]\nreturn y = %0'],
  [
    'a dense layer with a bias that comes at run time',
    '%x: f32[n,8], %w: f32[8,3], %b: f32[3]',
    `%0 = matmul(%x, %w) : f32[n,3]
    %1 = broadcast(%b, shape=[n,3]) : f32[n,3]
    %2 = add(%0, %1) : f32[n,3]
    return y = %2`,
  ],
  ['flattening', '%x: f32[n,2,3]', '%0 = reshape(%x, shape=[n,6]) : f32[n,6]\nreturn y = %0'],
  ['an embedding', '%i: i32[n], %t: f32[9,4]', '%0 = gather(%t, %i, axis=0) : f32[n,4]\nreturn y = %0'],
  ['a sum in each row', '%x: f32[n,m]', '%0 = reduce-sum(%x, axes=[1]) : f32[n]\nreturn y = %0'],
  ['padding inside rows', '%x: f32[n,3]', '%0 = pad(%x, low=[0,1], high=[0,1]) : f32[n,5]\nreturn y = %0'],
])('%s', (_, inputs, body) => {
  expect(rowsOf(inputs, body)).toBe('n')
})

test.each([
  ['a sum over rows', '%x: f32[n,2]', '%0 = reduce-sum(%x, axes=[0]) : f32[2]\nreturn y = %0'],
  [
    'what a sum over rows gives to every row',
    '%x: f32[n]',
    `%0 = reduce-sum(%x, axes=[0]) : f32[]
    %1 = broadcast(%0, shape=[n]) : f32[n]
    %2 = sub(%x, %1) : f32[n]
    return y = %2`,
  ],
  [
    'rows in another order',
    '%x: f32[n,2]',
    '%0 = slice(%x, starts=[n - 1,0], sizes=[n,2], steps=[-1,1]) : f32[n,2]\nreturn y = %0',
  ],
  ['padding with rows', '%x: f32[n,3]', '%0 = pad(%x, low=[1,0], high=[0,0]) : f32[n + 1,3]\nreturn y = %0'],
  ['n in two dims', '%x: f32[n,n]', '%0 = sin(%x) : f32[n,n]\nreturn y = %0'],
  [
    'the number of a row',
    '%x: i32[n]',
    '%0 = iota(shape=[n], axis=0, dtype=i32) : i32[n]\n%1 = add(%x, %0) : i32[n]\nreturn y = %1',
  ],
  [
    'the number of rows',
    '%x: f32[n]',
    `%0 = dim-value(value=n, dtype=f32) : f32[]
    %1 = broadcast(%0, shape=[n]) : f32[n]
    %2 = mul(%x, %1) : f32[n]
    return y = %2`,
  ],
  ['a running sum', '%x: f32[n]', '%0 = cumsum(%x, axis=0) : f32[n]\nreturn y = %0'],
  ['rows that another input chooses', '%x: f32[n], %i: i32[n]', '%0 = gather(%x, %i, axis=0) : f32[n]\nreturn y = %0'],
  ['a fixed number of rows', '%x: f32[4]', '%0 = sin(%x) : f32[4]\nreturn y = %0'],
  ['a state', '%x: f32[n,2], %"state:s": f32[2]', '%0 = sin(%x) : f32[n,2]\nreturn y = %0'],
])('refuses %s', (_, inputs, body) => {
  expect(rowsOf(inputs, body)).toBeUndefined()
})
