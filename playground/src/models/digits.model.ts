/** @file A small convolutional network that reads handwritten digits. */
import { dim, model, nn, safetensors, tensor } from '@quern/model'

const w = await safetensors(new URL('./digits.safetensors', import.meta.url))
const conv1 = { weight: w.get('conv1.weight', 'f32', [8, 1, 5, 5]), bias: w.get('conv1.bias', 'f32', [8]) }
const conv2 = { weight: w.get('conv2.weight', 'f32', [16, 8, 5, 5]), bias: w.get('conv2.bias', 'f32', [16]) }
const fc1 = { weight: w.get('fc1.weight', 'f32', [64, 784]), bias: w.get('fc1.bias', 'f32', [64]) }
const fc2 = { weight: w.get('fc2.weight', 'f32', [10, 64]), bias: w.get('fc2.bias', 'f32', [10]) }

export default model({ image: tensor('f32', [dim('n', { max: 4096 }), 1, 28, 28]) }, ({ image }) => {
  const features1 = nn.maxPool(nn.relu(nn.conv2d(image, conv1, { padding: 2 })), 2)
  const features2 = nn.maxPool(nn.relu(nn.conv2d(features1, conv2, { padding: 2 })), 2)
  const hidden = nn.relu(nn.linear(nn.flatten(features2), fc1))
  return { probs: nn.softmax(nn.linear(hidden, fc2)) }
})
