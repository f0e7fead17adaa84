import { chromium } from "playwright-core";
import { readFileSync, existsSync } from "node:fs";
const base="http://127.0.0.1:8917"; const S="/tmp/jc_state.json";
const b=await chromium.launch({executablePath:"/usr/bin/chromium",args:["--headless","--no-sandbox","--disable-gpu"]});
const ctx=await b.newContext({viewport:{width:1440,height:900}, ...(existsSync(S)?{storageState:S}:{})});
const page=await ctx.newPage(); page.setDefaultTimeout(25000);
page.on("pageerror",e=>console.log("PAGEERROR",e.message)); page.on("console",m=>m.type()==="error"&&console.log("CONSOLE",m.text()));
const shot=async(name,full=false)=>{await page.waitForTimeout(300);await page.screenshot({path:`/tmp/jc_shots/${name}.png`,fullPage:full});};
const both=async(name)=>{for(const [w,h] of [[1440,900],[360,780]]) for(const c of ["light","dark"]){await page.setViewportSize({width:w,height:h});await page.emulateMedia({colorScheme:c});await page.waitForTimeout(250);const o=await page.evaluate(()=>document.documentElement.scrollWidth-document.documentElement.clientWidth);if(o>0)console.log("WIDE",name,w,o);await page.screenshot({path:`/tmp/jc_shots/${name}-${w}-${c}.png`,fullPage:process.env.FULL==="1"});}await page.setViewportSize({width:1440,height:900});await page.emulateMedia({colorScheme:"light"});};
try { await (await import(process.argv[2])).default({page,ctx,base,shot,both,link:n=>page.getByRole("link",{name:n}),button:n=>page.getByRole("button",{name:n})}); }
catch(e){console.log("FAILED",e.message.slice(0,800)); await shot("failed");}
await ctx.storageState({path:S}); await b.close();
