/** @file Kernels as schedules leave them, by hand, in the text form of the loop language. */
export const kernels = {
  elementwise: `kernel elementwise<n: 1..>(
  read x: f32[n],
  write y: f32[n],
) {
  // digits.model.ts:9:42 as "hidden"
  for workgroup.x g < (n + 255) // 256 {
    for thread.x t < 64 {
      if i32[256*g + 4*t] < i32[n] {
        for vector v < 4 {
          store y[256*g + 4*t + v] = max(x[256*g + 4*t + v] * 2.5, 0.0) + 1.0
        }
      }
    }
  }
}`,
  matmul: `kernel matmul<m: 1.., k: 1.., n: 1..>(
  read a: f32[m,k],
  read b: f32[k,n],
  write y: f32[m,n],
) {
  for workgroup.y gy < (m + 31) // 32 {
    for workgroup.x gx < (n + 31) // 32 {
      alloc shared as: f32[32,16]
      alloc shared bs: f32[16,32]
      for thread.y ty < 8 {
        for thread.x tx < 8 {
          alloc register acc: f32[4,4]
          for unroll zi < 4 {
            for vector zj < 4 {
              store acc[0, zj] = 0.0
              store acc[1, zj] = 0.0
              store acc[2, zj] = 0.0
              store acc[3, zj] = 0.0
            }
          }
          for serial ko < (k + 15) // 16 {
            for serial l < 8 {
              store as[4*ty + l // 2, 2*tx + l % 2] = (and(i32[32*gy + 4*ty + l // 2] < i32[m], i32[16*ko + 2*tx + l % 2] < i32[k]) ? a[32*gy + 4*ty + l // 2, 16*ko + 2*tx + l % 2] : 0.0)
              store bs[2*ty + l % 2, 4*tx + l // 2] = (and(i32[16*ko + 2*ty + l % 2] < i32[k], i32[32*gx + 4*tx + l // 2] < i32[n]) ? b[16*ko + 2*ty + l % 2, 32*gx + 4*tx + l // 2] : 0.0)
            }
            barrier
            for serial kk < 16 {
              for vector j < 4 {
                accumulate acc[0, j] sum= as[4*ty, kk] * bs[kk, 4*tx + j]
                accumulate acc[1, j] sum= as[4*ty + 1, kk] * bs[kk, 4*tx + j]
                accumulate acc[2, j] sum= as[4*ty + 2, kk] * bs[kk, 4*tx + j]
                accumulate acc[3, j] sum= as[4*ty + 3, kk] * bs[kk, 4*tx + j]
              }
            }
            barrier
          }
          for serial i < 4 {
            for serial j2 < 4 {
              if i32[32*gy + 4*ty + i] < i32[m] {
                if i32[32*gx + 4*tx + j2] < i32[n] {
                  store y[32*gy + 4*ty + i, 32*gx + 4*tx + j2] = acc[i, j2]
                }
              }
            }
          }
        }
      }
    }
  }
}`,
  laneBranches: `kernel laneBranches<n: 1..>(
  read x: f32[n],
  read_write y: f32[n],
  write z: f32[n],
) {
  for workgroup.x g < (n + 255) // 256 {
    for thread.x t < 64 {
      if i32[256*g + 4*t] < i32[n] {
        for vector v < 4 {
          alloc register r: f32[2]
          store r[0] = x[256*g + 4*t + v] * 2.0
          store r[1] = 1.0
          if r[0] < 3.0 {
            let big = r[0] + 10.0
            alloc register s: f32[]
            store s[] = big * 2.0
            store r[0] = s[] + r[1]
            if 20.0 < r[0] {
              accumulate r[1] max= 7.0
            }
          }
          if r[1] == 7.0 {
            store y[256*g + 4*t + v] = r[0]
          } else {
            accumulate y[256*g + 4*t + v] sum= r[1]
          }
          store z[256*g + 4*t + v] = r[0] - r[1]
        }
      }
    }
  }
}`,
  treeReduction: `kernel treeReduction<n: 1.., m: 1..>(
  read x: f32[m,n],
  write y: f32[m],
) {
  for workgroup.x row < m {
    alloc shared part: f32[64]
    for thread.x t < 64 {
      alloc register acc: f32[]
      store acc[] = 0.0
      for serial k < (n - t + 63) // 64 {
        accumulate acc[] sum= x[row, 64*k + t]
      }
      store part[t] = acc[]
      barrier
      for serial s < 6 {
        let half = shr(32, i32[s])
        if i32[t] < half {
          accumulate part[t] sum= part[t + value(half)]
        }
        barrier
      }
      if i32[t] == 0 {
        store y[row] = part[0]
      }
    }
  }
}`,
  transpose: `kernel transpose<m: 1.., n: 1..>(
  read x: u32[m,n],
  write y: u32[n,m],
) {
  for workgroup.y gy < (m + 7) // 8 {
    for workgroup.x gx < (n + 7) // 8 {
      alloc shared tile: u32[8,8] strides [9,1]
      for thread.y ty < 8 {
        for thread.x tx < 8 {
          if and(i32[8*gy + ty] < i32[m], i32[8*gx + tx] < i32[n]) {
            store tile[ty, tx] = x[8*gy + ty, 8*gx + tx]
          }
          barrier
          if and(i32[8*gx + ty] < i32[n], i32[8*gy + tx] < i32[m]) {
            store y[8*gx + ty, 8*gy + tx] = tile[tx, ty]
          }
        }
      }
    }
  }
}`,
  scatter: `kernel scatter<n: 1..>(
  read at: i32[n],
  read x: u8[n],
  read_write y: i16[32],
) {
  for serial i < n {
    if or(at[i] < 0, 32 <= at[i]) {
      fail index-out-of-range at i
    } else {
      accumulate y[value(at[i])] sum= i16(x[i])
    }
  }
}`,
} as const
