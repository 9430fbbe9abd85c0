export default()=>new Promise(e=>{const t=()=>e(Intl.DateTimeFormat().resolvedOptions().timeZone);setTimeout(()=>(window.requestIdleCallback||setTimeout)(t),1e3)})
