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
} as const
