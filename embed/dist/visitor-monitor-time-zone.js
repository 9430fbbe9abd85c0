export default async()=>(await new Promise(e=>setTimeout(()=>(window.requestIdleCallback||setTimeout)(e),1e3)),Intl.DateTimeFormat().resolvedOptions().timeZone)
