/** @file The playground's entry. */
document.querySelector('#app')!.innerHTML = '<h1>Quern</h1><p>The demos are not here yet.</p>'
