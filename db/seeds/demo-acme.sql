-- The demo story of Acme Industrial: what its people asked and were told, oldest first. demo.sql, which runs last in the
-- same transaction, explains the shape and plays it back.

create temporary table if not exists demo_stories (
  organization_slug text not null,
  story jsonb not null
) on commit drop;

insert into demo_stories (organization_slug, story) values ('acme', $story$
[
  {
    "requester": "customer@acme.example",
    "service": "Printing and label printers",
    "team": "Infrastructure",
    "assignee": null,
    "priority": "high",
    "subject": "Print queue on PRN-HALL3-02 stuck, jobs stay at \"Deleting\"",
    "channel": "portal",
    "age": "44 days 5 hours 35 minutes",
    "body": "The work order printer in hall 3 (PRN-HALL3-02) has printed nothing since the beginning of the shift. In the queue there are 17 jobs, the first one says \"Deleting - Printing\" and doesn't go away. Switching the printer off and on changed nothing, the foreman tried it three times.\n\nWe are writing work orders by hand at the moment.",
    "steps": [
      {
        "after": "9 minutes",
        "by": "lukas.novak@acme.example",
        "say": "I see it, the spooler on srv-print02 hangs on the first job. I will restart the spooler in five minutes, all 17 jobs will be gone after that. Please reprint from SAP (transaction CO04N) from order 4711820 onwards.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "lukas.novak@acme.example"
        }
      },
      {
        "after": "22 minutes",
        "by": "customer@acme.example",
        "say": "Reprinted, the first ones came out, thanks. But number 9 is stuck again, again \"Printing\", and nothing moves.",
        "visibility": "public"
      },
      {
        "after": "34 minutes",
        "by": "lukas.novak@acme.example",
        "say": "Spooler dump: the job that hangs is always a PDF with the embedded inspection drawing, 48 MB as PCL. splwow64.exe dies with 0xc0000409 in the vendor driver v6.7. Same driver on PRN-HALL1-01, only they don't print drawings there.",
        "visibility": "internal"
      },
      {
        "after": "1 hour 40 minutes",
        "by": "lukas.novak@acme.example",
        "say": "Resolved. The vendor's driver 6.7 crashed on work orders with embedded inspection drawings and took the whole queue with it. I went back to driver 6.5 on srv-print02 and switched PRN-HALL3-02 to its own spooler process, so one broken job can no longer hold up the others. All your remaining orders, including number 9, are printed.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      },
      {
        "after": "6 days 2 hours",
        "by": "lukas.novak@acme.example",
        "set": {
          "status": "closed"
        }
      }
    ]
  },
  {
    "requester": "customer@acme.example",
    "service": "VPN and remote access",
    "team": "Service Desk",
    "assignee": null,
    "priority": "normal",
    "subject": "VPN drops every ten minutes since client update 5.2.1",
    "tags": ["vpn", "client update"],
    "channel": "portal",
    "age": "41 days 3 hours 12 minutes",
    "body": "Hello,\n\nmy VPN client updated itself to 5.2.1 over lunch and since then the tunnel drops about every ten minutes. It reconnects by itself after 20 seconds or so, but SAP logs me out every single time and I lose whatever I was booking.\n\nI work from home on Tuesdays and Thursdays. Wi-Fi itself is fine, video calls without VPN run for hours. The little tray window says \"Tunnel lost, reason: peer not responding\".",
    "steps": [
      {
        "after": "14 minutes",
        "by": "agent@acme.example",
        "say": "Hi Jonas,\n\nthanks for the clear description, that saves us a round of questions. You are the fourth person with 5.2.1 today, so this is not your Wi-Fi.\n\nCould you open Diagnostics > Save log in the VPN client and attach or paste the last lines from around one of the drops? Until then, please keep SAP bookings short or use the web version at sap-web.acme.example, which survives a reconnect.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@acme.example"
        }
      },
      {
        "after": "38 minutes",
        "by": "customer@acme.example",
        "say": "Here is one drop, there are dozens that look the same:\n\n    [608.114] dtls: keepalive sent seq=61\n    [611.120] dtls: keepalive timeout, retry 1/3\n    [617.131] dtls: keepalive timeout, retry 3/3\n    [617.132] tunnel: PEER_DEAD vpn-gw01.acme.example:443 -> state=RECONNECT\n    [636.870] tunnel: state=CONNECTED mtu=1406\n\nThe web version works for now, thank you!",
        "visibility": "public"
      },
      {
        "after": "21 minutes",
        "by": "agent@acme.example",
        "say": "Lukas, same pattern for everyone on 5.2.1: DTLS keepalives stop being answered after roughly 600 seconds. 5.2.0 clients on the same gateway are fine. Smells like the new rekey interval not matching vpn-gw01. Four users so far, the rollout continues tonight.",
        "visibility": "internal",
        "set": {
          "team": "Infrastructure",
          "assignee": "lukas.novak@acme.example",
          "priority": "high"
        }
      },
      {
        "after": "3 hours 10 minutes",
        "by": "lukas.novak@acme.example",
        "say": "Confirmed. Client 5.2.1 proposes a rekey after 600 s, the gateway profile is pinned to 3600 s and ignores the proposal. I stopped the rollout at 112 of 340 machines and changed the profile on vpn-gw01 to accept the client's value. vpn-gw02 follows after office hours.",
        "visibility": "internal"
      },
      {
        "after": "1 hour 5 minutes",
        "by": "lukas.novak@acme.example",
        "say": "Hello Jonas,\n\nthe cause was ours: client 5.2.1 renegotiates its keys every 10 minutes and our gateways refused that, so the tunnel was declared dead. Both gateways now accept the shorter interval. Nothing to install on your side, just disconnect and connect once.\n\nI watched your session for the last 45 minutes and it went through four key renewals without a drop.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      },
      {
        "after": "5 days",
        "by": "agent@acme.example",
        "set": {
          "status": "closed"
        }
      }
    ]
  },
  {
    "requester": "owen.hughes@tidewater-marine.example",
    "service": "Accounts and passwords",
    "team": "Service Desk",
    "assignee": null,
    "priority": "normal",
    "subject": "Password reset link says \"token already used\" on the first click",
    "channel": "mail",
    "age": "38 days 6 hours 5 minutes",
    "body": "Hello Acme team,\n\nI'm trying to reset my password for the order portal. The mail arrives within a minute, but when I click the link the page says \"This link has already been used (token already used)\". I have requested four new links and all four do the same on the very first click.\n\nWe have an urgent order for gaskets to place, so I'd be grateful for a quick hand.\n\nKind regards,\nOwen Hughes\nTidewater Marine Supply",
    "steps": [
      {
        "after": "24 minutes",
        "by": "agent@acme.example",
        "say": "Hello Owen,\n\nwe'll get you in. Two quick questions: does your company scan links in incoming mail (some mail filters open every link once to check it), and did you by chance open the link in the preview pane?\n\nIn the meantime your colleague on the same account can place the gasket order, or send it to orders@acme.example and Priya's team will enter it for you.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@acme.example"
        }
      },
      {
        "after": "1 hour 12 minutes",
        "by": "owen.hughes@tidewater-marine.example",
        "say": "I asked our IT people: yes, since last week a new mail gateway \"detonates\" all links before delivery. That would explain it, wouldn't it?",
        "visibility": "public"
      },
      {
        "after": "18 minutes",
        "by": "agent@acme.example",
        "say": "Portal log agrees: each token is redeemed by a GET from 203.0.113.58 (their mail gateway) two to four seconds after sending, Owen's own click comes later. The reset page should not consume the token on GET. Priya, can the portal ask for a click on a button first?",
        "visibility": "internal"
      },
      {
        "after": "2 hours 30 minutes",
        "by": "priya.raman@acme.example",
        "say": "Yes. Changed: GET only shows the page, the token is consumed by the POST of the new password. Deployed with portal 7.14.2.",
        "visibility": "internal",
        "set": {
          "team": "Customer Orders"
        }
      },
      {
        "after": "14 minutes",
        "by": "priya.raman@acme.example",
        "say": "Hello Owen,\n\nyour mail gateway opened the link before you did, and our page counted that as the one permitted use. From now on opening the link only shows the form, and the link is used up when you actually save a new password. Please request one more link; it is valid for 60 minutes and you can open it as often as you like.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      },
      {
        "after": "6 days",
        "by": "agent@acme.example",
        "set": {
          "status": "closed"
        }
      }
    ]
  },
  {
    "requester": "owen.hughes@tidewater-marine.example",
    "service": "Customer order portal",
    "team": "Customer Orders",
    "assignee": null,
    "priority": "normal",
    "subject": "Order confirmation lists the net price twice since the new price list",
    "channel": "mail",
    "age": "30 days 7 hours 45 minutes",
    "body": "Hello Priya,\n\nconfirmations since the new price list show the net price in both columns. Example, order 2260418: 24 x seal kit SK-80, list price should be 46.20 and our net 39.27, the PDF says 39.27 and 39.27. The total is correct, but our purchasing system compares the list price and blocks the order.\n\nRegards, Owen",
    "steps": [
      {
        "after": "48 minutes",
        "by": "priya.raman@acme.example",
        "say": "Hello Owen,\n\nI can reproduce it with your order. The totals and what you will be invoiced are right, only the column on the PDF is wrong. I'll find out where the list price gets lost. Would a corrected PDF for 2260418 by mail help you to release the order today?",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "priya.raman@acme.example"
        }
      },
      {
        "after": "1 hour 30 minutes",
        "by": "owen.hughes@tidewater-marine.example",
        "say": "Yes please, for that one and for 2260425. Those are the two that purchasing is shouting about.",
        "visibility": "public"
      },
      {
        "after": "5 hours 20 minutes",
        "by": "priya.raman@acme.example",
        "say": "Both corrected confirmations are in your mailbox. The cause: the new price list was imported with condition type ZNET as base price, so the document printed it twice. The import now fills ZLST (list) and ZNET (net) separately, and all 37 affected confirmations were regenerated. You can download them in the portal under Orders > Documents.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      },
      {
        "after": "7 days",
        "by": "priya.raman@acme.example",
        "set": {
          "status": "closed"
        }
      }
    ]
  },
  {
    "requester": "customer@acme.example",
    "by": "agent@acme.example",
    "service": "Accounts and passwords",
    "team": "Service Desk",
    "assignee": null,
    "priority": "high",
    "subject": "Locked out of Windows after three weeks of holiday",
    "channel": "desk",
    "age": "27 days 4 hours 50 minutes",
    "body": "(Taken by phone) Jonas is back from holiday and can't sign in: \"The referenced account is currently locked out and may not be logged on to.\" His password expired while he was away, he changed it at the laptop, and a few minutes later the account was locked. He is standing in the shift meeting and needs the plan for hall 2.",
    "steps": [
      {
        "after": "6 minutes",
        "by": "agent@acme.example",
        "say": "Jonas, I unlocked the account and set a temporary password which I gave you by phone. Please change it at the first sign-in. If it locks again within the next hour, don't try further, write here.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@acme.example"
        }
      },
      {
        "after": "31 minutes",
        "by": "customer@acme.example",
        "say": "Signed in, changed it, and now locked again. I typed nothing wrong this time, I promise. The tablet in my bag keeps buzzing, could that be it?",
        "visibility": "public"
      },
      {
        "after": "12 minutes",
        "by": "agent@acme.example",
        "say": "dc02 security log, event 4740, caller computer ACM-TB-0417: his tablet retries mail with the old password every 40 seconds. Five attempts and the account is locked. Classic.",
        "visibility": "internal"
      },
      {
        "after": "15 minutes",
        "by": "agent@acme.example",
        "say": "It was the tablet: it still had the old password stored for mail and tried it again and again until the account locked. We removed the stored password on the tablet together, unlocked the account, and it has been quiet for ten minutes.\n\nFor the next holiday: change the password on all devices on the same day, phone and tablet included, or switch them off until you have.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      },
      {
        "after": "4 days 20 hours",
        "by": "manager@acme.example",
        "set": {
          "status": "closed"
        }
      }
    ]
  },
  {
    "requester": "customer@acme.example",
    "service": "Workplace and devices",
    "team": "Service Desk",
    "assignee": null,
    "priority": "normal",
    "subject": "New starter in production planning: laptop, accounts and badge",
    "channel": "portal",
    "age": "21 days 3 hours 20 minutes",
    "body": "Hello, on the first working day of next week Ms. Elif Demir starts in production planning, desk B1.16. She needs: laptop with SAP GUI and the planning add-in, mailbox, access to \\\\fs03\\planning, SAP user with the same roles as mine (without release of production orders), VPN, badge for halls 1 to 3.",
    "steps": [
      {
        "after": "1 hour 15 minutes",
        "by": "agent@acme.example",
        "say": "Hi Jonas, thank you for the complete list. Laptop, mailbox, share and VPN I can prepare this week. For the SAP user I need the confirmation of the role owner, that is Mr. Albrecht. The badge is issued by Facility when she signs on the first day, I have registered her there.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@acme.example"
        }
      },
      {
        "after": "1 day 2 hours",
        "by": "customer@acme.example",
        "say": "Mr. Albrecht has confirmed by mail to the Service Desk, with the restriction \"display only for CO02 in the first three months\".",
        "visibility": "public"
      },
      {
        "after": "4 hours 45 minutes",
        "by": "manager@acme.example",
        "say": "Role Z_PP_PLANNER_JR fits: display for CO02, everything else like Jonas. Created, user DEMIRE.",
        "visibility": "internal"
      },
      {
        "after": "2 days 3 hours",
        "by": "agent@acme.example",
        "say": "Everything is ready for Ms. Demir: laptop ACM-LT-2318 with SAP GUI and the planning add-in is on desk B1.16, mailbox and \\\\fs03\\planning are tested, SAP user DEMIRE has the junior planner role (CO02 display only, to be extended in three months), VPN is set up. She gets the initial passwords in a sealed envelope at the Service Desk, the badge from Facility.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      },
      {
        "after": "5 days 1 hour",
        "by": "agent@acme.example",
        "set": {
          "status": "closed"
        }
      }
    ]
  },
  {
    "requester": "customer@acme.example",
    "service": "Shipping labels and EDI",
    "team": "Customer Orders",
    "assignee": null,
    "priority": "high",
    "subject": "Shipping label API returns 502 for all international parcels",
    "tags": ["label api"],
    "channel": "portal",
    "age": "19 days 5 hours 5 minutes",
    "body": "Packing reports that labels for parcels to Switzerland, Norway and the UK can't be printed. The packing station shows \"Label service: HTTP 502 Bad Gateway\". Labels within the EU print normally. About 70 parcels are waiting in the cage.",
    "steps": [
      {
        "after": "12 minutes",
        "by": "priya.raman@acme.example",
        "say": "Thank you Jonas, I see the 502s in the log of labels.acme.example, only for requests with customs data. I'm on it with the carrier.\n\nPlease pack on and put the international parcels aside; we can print the labels in one batch later.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "priya.raman@acme.example"
        }
      },
      {
        "after": "1 hour 50 minutes",
        "by": "priya.raman@acme.example",
        "say": "The carrier's customs endpoint wants the HS code with 10 digits now, we send 8. Their gateway doesn't answer 400 but closes the connection, our proxy makes a 502 of it:\n\n    upstream prematurely closed connection while reading response header from upstream,\n    request: \"POST /v3/labels/international HTTP/1.1\", upstream: \"https://203.0.113.90/customs\"\n\nArticle master has the 10-digit codes in another field, mapping change is small.",
        "visibility": "internal"
      },
      {
        "after": "2 hours 35 minutes",
        "by": "priya.raman@acme.example",
        "say": "Labels for non-EU countries work again and the 72 waiting parcels are printed, they are in the output tray at station 4. The carrier now requires ten-digit customs tariff numbers and cut the connection for our eight-digit ones, which showed up as 502. The label service takes the long numbers from the article master now, and an article without one is refused with a readable message.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      }
    ]
  },
  {
    "requester": "sabine.krueger@acme.example",
    "service": "Printing and label printers",
    "team": "Infrastructure",
    "assignee": null,
    "priority": "normal",
    "subject": "Scan to folder stopped working after the file server move",
    "channel": "portal",
    "age": "12 days 6 hours 25 minutes",
    "body": "Since the file server was moved at the weekend, the multifunction device in Controlling (PRN-B2-05) can't scan to our folder any more. The display shows \"Connection to destination failed (C-4402)\". Scanning to e-mail works but is limited to 10 MB, which is not enough for the annual contracts.",
    "steps": [
      {
        "after": "2 hours 10 minutes",
        "by": "lukas.novak@acme.example",
        "say": "The device still points to the old server. I will change the destination from \\\\fs01\\scan to \\\\fs03\\scan remotely. Please try again in about ten minutes.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "lukas.novak@acme.example"
        }
      },
      {
        "after": "1 hour 25 minutes",
        "by": "sabine.krueger@acme.example",
        "say": "Different error now: \"Authentication failed (C-4409)\". I did not change anything on my side.",
        "visibility": "public"
      },
      {
        "after": "3 hours 50 minutes",
        "by": "lukas.novak@acme.example",
        "say": "fs03 accepts only SMB 3 with signing, firmware 2.31 of this device ends at SMB 1. Updated to 3.08 from the vendor, created svc-scan with write access to the scan share only. Eleven more devices of the same model, doing them tonight.",
        "visibility": "internal"
      },
      {
        "after": "12 minutes",
        "by": "lukas.novak@acme.example",
        "say": "Works again. The new file server no longer accepts the old SMB 1 protocol, which the firmware of your device still used. I updated the firmware, gave the scanner its own account that may only write to the scan folder, and scanned a 64 MB test document to \\\\fs03\\scan\\controlling. The buttons on the display are the same as before.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      }
    ]
  },
  {
    "requester": "customer@acme.example",
    "service": "Workplace and devices",
    "team": "Service Desk",
    "assignee": null,
    "priority": "low",
    "subject": "Docking station and second monitor for the planning office",
    "channel": "portal",
    "age": "11 days 4 hours 10 minutes",
    "body": "Hello, our two new planners share one docking station, and one of the monitors has a stripe down the middle. Could we get one more USB-C dock and one 27\" monitor for desk B1.14? Cost centre 4120, my manager has approved it (mail from him attached to the purchase request 8004417).",
    "steps": [
      {
        "after": "3 hours 30 minutes",
        "by": "agent@acme.example",
        "say": "Hi Jonas, with the approval on the purchase request that is easy. A monitor is in stock and I can bring it tomorrow. The dock I have to order: delivery is about two weeks at the moment.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@acme.example"
        }
      },
      {
        "after": "1 day 1 hour",
        "by": "customer@acme.example",
        "say": "Monitor is on the desk and works great. The dock can wait, we alternate.",
        "visibility": "public"
      },
      {
        "after": "2 hours 40 minutes",
        "by": "agent@acme.example",
        "say": "Glad you like it. The dock is ordered (supplier order 55-20931) and the supplier confirmed delivery in 12 working days. I put this ticket on hold until the parcel arrives, you don't need to do anything.",
        "visibility": "public",
        "set": {
          "state": "Waiting for parts"
        }
      },
      {
        "after": "4 days 3 hours",
        "by": "manager@acme.example",
        "say": "Supplier moved the date by another week because of a shortage of power supplies. If it slips once more, give them one of the pool docks from building C.",
        "visibility": "internal"
      }
    ]
  },
  {
    "requester": "sabine.krueger@acme.example",
    "service": "VPN and remote access",
    "team": "Service Desk",
    "assignee": null,
    "priority": "normal",
    "subject": "VPN disconnects whenever I undock my laptop",
    "channel": "portal",
    "age": "9 days 2 hours 40 minutes",
    "body": "Good morning,\n\neach time I take my laptop off the docking station to go to a meeting, the VPN disconnects and does not come back until I quit the client completely and start it again. Before the replacement laptop (asset ACM-LT-2291) this was never a problem, the old one just switched from cable to Wi-Fi and carried on.\n\nIt is not urgent, but with five meetings a day it becomes tiresome.",
    "steps": [
      {
        "after": "46 minutes",
        "by": "agent@acme.example",
        "say": "Good morning Sabine,\n\nthat sounds like the client stays bound to the dock's network adapter. May I connect to your laptop for five minutes? If you tell me a time that suits you, I will look at the adapter order while you undock once.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@acme.example"
        }
      },
      {
        "after": "2 hours 5 minutes",
        "by": "sabine.krueger@acme.example",
        "say": "I am at my desk for the next two hours, please just call.",
        "visibility": "public"
      },
      {
        "after": "35 minutes",
        "by": "agent@acme.example",
        "say": "Remote session done. ACM-LT-2291 came from the new image where \"Roam between adapters\" is off in the VPN profile and the dock's Ethernet has a fixed metric of 5. All laptops of this batch (2280 to 2310) should have it. Told Lukas so he can correct the image.",
        "visibility": "internal"
      },
      {
        "after": "6 minutes",
        "by": "agent@acme.example",
        "say": "Thank you for your time just now. Two settings were wrong in the image your laptop was installed with: the VPN profile did not allow roaming between network adapters, and the dock's Ethernet adapter had a fixed priority. I switched on \"Roam between adapters\" and set the metric back to automatic. We undocked three times and the tunnel stayed up with a pause of about two seconds.\n\nThe image is being corrected so your colleagues won't run into the same thing.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      }
    ]
  },
  {
    "requester": "sabine.krueger@acme.example",
    "service": "Customer order portal",
    "team": "Customer Orders",
    "assignee": null,
    "priority": "normal",
    "subject": "CSV export of open orders shows broken umlauts in Excel",
    "channel": "portal",
    "age": "8 days 3 hours 30 minutes",
    "body": "When I export the open orders as CSV from the portal and open the file in Excel, \"Müller Antriebe\" becomes \"MÃ¼ller Antriebe\" and \"Größe\" becomes \"GrÃ¶ÃŸe\". Until last month it was correct. I import the file into our cost model, where the customer names no longer match.",
    "steps": [
      {
        "after": "1 hour 5 minutes",
        "by": "priya.raman@acme.example",
        "say": "Hello Sabine, thanks for the examples, that is UTF-8 text read as Windows-1252. With portal 7.15 we rewrote the export and it seems the byte order mark at the start of the file got lost. Without it Excel guesses wrong.\n\nUntil it's fixed: Data > From Text/CSV > File origin \"65001: Unicode (UTF-8)\" reads the same file correctly.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "priya.raman@acme.example"
        }
      },
      {
        "after": "2 hours 45 minutes",
        "by": "sabine.krueger@acme.example",
        "say": "Your way through \"From Text/CSV\" works. It is just one more thing to remember every morning.",
        "visibility": "public"
      },
      {
        "after": "1 day 3 hours",
        "by": "priya.raman@acme.example",
        "say": "No need to remember it any longer: portal 7.15.1 writes the UTF-8 byte order mark again, so a double-click opens the export with correct umlauts. I tested with your saved filter, \"Müller Antriebe\" and \"Größe\" arrive as they should in Excel and in LibreOffice. An automatic test now checks the first three bytes of every export.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      }
    ]
  },
  {
    "requester": "sabine.krueger@acme.example",
    "service": "Accounts and passwords",
    "team": "Service Desk",
    "assignee": null,
    "priority": "normal",
    "subject": "Passwort läuft ab, aber jedes neue wird abgelehnt",
    "channel": "portal",
    "age": "6 days 5 hours 15 minutes",
    "body": "Guten Tag,\n\nWindows meldet, dass mein Passwort in zwei Tagen abläuft. Wenn ich es ändern will, kommt immer: \"Das Kennwort entspricht nicht den Anforderungen der Domäne.\" Ich habe es mit 14 Zeichen, Groß- und Kleinbuchstaben, Zahlen und Sonderzeichen versucht, insgesamt sicher zehnmal.\n\nGibt es eine neue Regel, die ich nicht kenne?",
    "steps": [
      {
        "after": "52 minutes",
        "by": "agent@acme.example",
        "say": "Guten Tag Frau Krüger,\n\nja, seit diesem Monat gilt zusätzlich eine Sperrliste: Namen, Jahreszahlen, \"Acme\" und Wörter aus bekannten Passwortlisten sind nicht mehr erlaubt, auch nicht mit Sonderzeichen dazwischen. Die Mindestlänge ist jetzt 15 Zeichen. Leider zeigt Windows dafür dieselbe alte Meldung an.\n\nAm besten funktionieren vier zufällige Wörter hintereinander. Klappt es damit?",
        "visibility": "public",
        "set": {
          "status": "pending",
          "assignee": "agent@acme.example"
        }
      },
      {
        "after": "3 hours 20 minutes",
        "by": "sabine.krueger@acme.example",
        "say": "Mit vier Wörtern hat es sofort funktioniert, danke! Könnten Sie die Regel bitte irgendwo veröffentlichen? In der Abteilung rätseln gerade mehrere Kollegen.",
        "visibility": "public"
      },
      {
        "after": "41 minutes",
        "by": "agent@acme.example",
        "say": "Sehr gern. Ich habe einen Artikel in der Wissensdatenbank geschrieben (neue Passwortregel: mindestens 15 Zeichen, Sperrliste, Beispiel mit vier Wörtern) und ihn im Intranet verlinkt. Ihr neues Passwort gilt ab sofort überall, auch im VPN und in SAP-Web.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      }
    ]
  },
  {
    "requester": "sabine.krueger@acme.example",
    "service": "Shipping labels and EDI",
    "team": "Customer Orders",
    "assignee": null,
    "priority": "normal",
    "subject": "EDI despatch advice rejected by customer: CPS segment missing",
    "channel": "portal",
    "age": "5 days 3 hours 15 minutes",
    "body": "Our customer Hansen Antriebstechnik rejects our electronic despatch advices since two days and charges 25 EUR for each delivery that has to be booked by hand. There are 18 so far. From their rejection message:\n\n    APERAK ERC+12:: FTX+AAO+++DESADV D.97A: mandatory segment CPS missing before LIN (message ref 004417)",
    "steps": [
      {
        "after": "2 hours 30 minutes",
        "by": "priya.raman@acme.example",
        "say": "Hello Sabine, I compared message 004417 with one from last month: the packaging level (CPS+1) is no longer written when a delivery has only one pallet. This came with the last mapping change. I'm correcting the mapping and will send the 18 messages again.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "priya.raman@acme.example"
        }
      },
      {
        "after": "1 day 4 hours",
        "by": "priya.raman@acme.example",
        "say": "Mapping 12.3: CPS condition was \"pallets > 1\", must be \">= 1\". Test messages validated against their guideline. They want to see three test messages before we switch, contact is their EDI clearing desk.",
        "visibility": "internal"
      },
      {
        "after": "3 hours",
        "by": "priya.raman@acme.example",
        "say": "The mapping is corrected and three test messages are with Hansen's clearing desk. Sabine, could you ask your contact in their accounting to approve the tests, and whether they will cancel the 18 fees once the messages are resent? As soon as I have their go I resend everything.",
        "visibility": "public",
        "set": {
          "status": "pending"
        }
      }
    ]
  },
  {
    "requester": "owen.hughes@tidewater-marine.example",
    "service": "Customer order portal",
    "team": "Customer Orders",
    "assignee": null,
    "priority": "normal",
    "subject": "Cannot place order: \"Delivery date must be a working day\" on a normal Tuesday",
    "channel": "portal",
    "age": "4 days 5 hours 20 minutes",
    "body": "The portal refuses my order for 6 pump housings PH-210. Requested delivery is a Tuesday three weeks from now, and the message is \"Delivery date must be a working day (calendar DE-SN)\".\n\nAs far as I can see that Tuesday isn't a holiday anywhere. Other Tuesdays work, but they are too late for the ship. I've kept the basket as \"PH-210 Rotterdam\".",
    "steps": [
      {
        "after": "1 day 4 hours",
        "by": "owen.hughes@tidewater-marine.example",
        "say": "May I ask whether anyone has seen this? The ship leaves Rotterdam on a fixed date and I need the confirmed delivery before that.",
        "visibility": "public"
      },
      {
        "after": "22 hours",
        "by": "manager@acme.example",
        "say": "This one slipped through while Priya was at the trade fair. First response is long overdue, please call him as well.",
        "visibility": "internal",
        "set": {
          "assignee": "priya.raman@acme.example",
          "priority": "high"
        }
      },
      {
        "after": "35 minutes",
        "by": "priya.raman@acme.example",
        "say": "Hello Owen, my apologies for the silence, that shouldn't have happened. I entered your basket by hand as order 2260733 with exactly that Tuesday, so the ship is safe; the confirmation is in your mailbox.\n\nNow to the reason: the portal uses the calendar of Saxony, although your goods leave from the plant in Bremen. I'm checking with the team why.",
        "visibility": "public",
        "set": {
          "status": "open"
        }
      },
      {
        "after": "3 hours 10 minutes",
        "by": "priya.raman@acme.example",
        "say": "Customers outside Germany have no region, the portal then takes the first calendar in the table, alphabetically DE-SN... after the last import DE-BW was missing. Should take the plant's calendar. Affects all export customers. Fix needs the ERP team, asked for an estimate.",
        "visibility": "internal"
      }
    ]
  },
  {
    "requester": "customer@acme.example",
    "service": "Printing and label printers",
    "team": "Infrastructure",
    "assignee": null,
    "priority": "normal",
    "subject": "Label printer in hall 3 feeds blank labels between every good one",
    "channel": "portal",
    "age": "4 days 3 hours 55 minutes",
    "body": "The Zebra ZT411 at the end of packing line 3 prints one good label, then one empty, then a good one and so on. It started when we changed to the new roll this morning. We are throwing away half of the labels and the roll is empty before lunch.\n\nArticle number of the new roll: 880-1042 (100 x 150 mm).",
    "steps": [
      {
        "after": "41 minutes",
        "by": "lukas.novak@acme.example",
        "say": "New rolls are 2 mm shorter than the old ones, so the printer looks for the gap in the wrong place. Please do a calibration: hold PAUSE and CANCEL together for two seconds, it feeds three or four labels and stops. Then print one label and tell me what happens.",
        "visibility": "public",
        "set": {
          "status": "pending",
          "assignee": "lukas.novak@acme.example"
        }
      },
      {
        "after": "2 hours 15 minutes",
        "by": "customer@acme.example",
        "say": "Did that twice. Better: now it's one blank label after about every ten. Before the roll change it was zero.",
        "visibility": "public"
      },
      {
        "after": "1 hour 8 minutes",
        "by": "lukas.novak@acme.example",
        "say": "On site. Media sensor was set to \"mark\" instead of \"gap/notch\", someone changed it with the last firmware. Calibration alone can't fix that.",
        "visibility": "internal"
      },
      {
        "after": "17 minutes",
        "by": "lukas.novak@acme.example",
        "say": "The media sensor was set to \"black mark\" but your labels have gaps. I set the media type to gap/notch, calibrated again, and we printed 60 labels in a row without a blank one. The setting is now stored in the printer's power-on profile and will survive the next roll and the next power cut.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      }
    ]
  },
  {
    "requester": "owen.hughes@tidewater-marine.example",
    "service": "Customer order portal",
    "team": "Customer Orders",
    "assignee": null,
    "priority": "high",
    "subject": "When I duplicate an old order in the portal and change the delivery address to our new warehouse in Hull, the confirmation goes back to the old address in Grimsby although the preview shows Hull",
    "channel": "portal",
    "age": "4 days 1 hour 30 minutes",
    "body": "Hello,\n\nthis has now happened with two orders (2260689 and 2260702). I use \"Duplicate order\", change the delivery address to Hull, the preview before sending shows Hull, and the confirmation shows Grimsby again. The warehouse in Grimsby closes at the end of the month, so anything delivered there will stand in front of a locked gate.\n\nPlease change the address of both orders to: Tidewater Marine Supply, 14 Albert Dock, Hull HU1 2DP. And please look at why it happens.",
    "steps": [
      {
        "after": "1 day 20 hours",
        "by": "owen.hughes@tidewater-marine.example",
        "say": "A short reminder. 2260689 is marked as \"picking\" now. It must not leave for Grimsby.",
        "visibility": "public"
      },
      {
        "after": "2 hours 25 minutes",
        "by": "fiona.marsh@tidewater-marine.example",
        "say": "I duplicated 2260711 for Owen this morning and it went the same way: Hull in the preview, Grimsby in the confirmation. That makes three.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "sabine.krueger@acme.example",
    "service": "Workplace and devices",
    "team": "Service Desk",
    "assignee": null,
    "priority": "normal",
    "subject": "Blue screen DRIVER_POWER_STATE_FAILURE twice a week",
    "channel": "portal",
    "age": "3 days 6 hours 40 minutes",
    "body": "My laptop shows a blue screen about twice a week, always when I come back from lunch and open the lid. I photographed it this time:\n\n    Stop code: DRIVER_POWER_STATE_FAILURE (0x9F)\n    What failed: ntoskrnl.exe\n\nAfter the restart everything is fine, but last time an unsaved cost calculation was gone.",
    "steps": [
      {
        "after": "1 hour 35 minutes",
        "by": "agent@acme.example",
        "say": "Hello Sabine, that stop code means that one driver did not wake up from standby in time. Which one is written in the memory dump. I have switched on full kernel dumps on your laptop remotely, so the next crash tells us.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@acme.example"
        }
      },
      {
        "after": "20 hours",
        "by": "agent@acme.example",
        "say": "Driver inventory of ACM-LT-2291: Bluetooth 23.10 and the VPN adapter are both candidates. Don't guess, wait for the dump. She also has the standby problem with error 2738, could be one and the same.",
        "visibility": "internal"
      },
      {
        "after": "1 hour 10 minutes",
        "by": "agent@acme.example",
        "say": "One request: when it happens again, please restart, wait until the desktop is there, and write \"crashed\" here. Don't shut down before I have fetched the file C:\\Windows\\MEMORY.DMP. Until then, please switch on AutoSave in Excel, so that no calculation is lost.",
        "visibility": "public",
        "set": {
          "status": "pending"
        }
      }
    ]
  },
  {
    "requester": "owen.hughes@tidewater-marine.example",
    "service": "Customer order portal",
    "team": "Customer Orders",
    "assignee": null,
    "priority": "high",
    "subject": "Order portal and login page keep redirecting to each other",
    "channel": "portal",
    "age": "3 days 1 hour 45 minutes",
    "body": "Since you moved the portal to the new single sign-on, I can log in with the right password and then the browser bounces between orders.acme.example and login.acme.example until it gives up with ERR_TOO_MANY_REDIRECTS.\n\nEdge and Firefox, both current. A private window works exactly once and then loops as well. My colleague Fiona gets in without trouble on her machine, on the same network.",
    "steps": [
      {
        "after": "1 hour 20 minutes",
        "by": "priya.raman@acme.example",
        "say": "Hello Owen,\n\nthank you for testing the private window, that narrows it down. Could you tell me how many cookies you see for acme.example (padlock > Cookies), and whether the clock of your computer is right? A loop like this usually means that the portal gets a session it cannot read and asks for a new one.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "priya.raman@acme.example"
        }
      },
      {
        "after": "3 hours 5 minutes",
        "by": "owen.hughes@tidewater-marine.example",
        "say": "Clock is right to the second. Cookies: two entries both called portal_session, one for orders.acme.example and one for .acme.example. I deleted both, logged in, and after a few minutes there are two again.",
        "visibility": "public"
      },
      {
        "after": "47 minutes",
        "by": "priya.raman@acme.example",
        "say": "Two cookies with the same name: the legacy portal still sets portal_session on .acme.example from the price list page, the new one sets it on the host. The browser sends both, the server reads the first one, which is the old format. Fiona never opens the price list, so she isn't affected. Needs a rename of the new cookie. @Lukas, can the reverse proxy strip the legacy cookie until we release?",
        "visibility": "internal"
      },
      {
        "after": "19 hours",
        "by": "lukas.novak@acme.example",
        "say": "Can do, but then the old price list stops working for everyone. How many use it?",
        "visibility": "internal"
      },
      {
        "after": "5 hours 30 minutes",
        "by": "priya.raman@acme.example",
        "say": "Owen, we found it: our old price list page still sets a cookie with the same name as the new portal, and the two overwrite each other. Until the fix is released, please don't open the price list from the old bookmark but from the menu in the portal (Products > Price list), and delete the cookies for acme.example one last time. That keeps you out of the loop. I'll write again when the release is out.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "owen.hughes@tidewater-marine.example",
    "service": "Customer order portal",
    "team": "Customer Orders",
    "assignee": null,
    "priority": "high",
    "subject": "Portal error 500 when adding more than 200 lines from a quote",
    "channel": "mail",
    "age": "2 days 6 hours 50 minutes",
    "body": "Hello,\n\nturning a big quote into an order fails. Quote Q-118204 has 231 lines; \"Convert to order\" works for about a minute and ends with a page that says error 500. A smaller quote with 40 lines converted without trouble. There was a \"Technical details\" link on the page, I paste what it shows in case it's useful:\n\n    Error: could not convert quote Q-118204\n        at QuoteConversion.run (/srv/portal/dist/quotes/conversion.js:88:13)\n        at process.processTicksAndRejections (node:internal/process/task_queues:105:5)\n        at async OrderController.fromQuote (/srv/portal/dist/orders/controller.js:142:22)\n        at async Layer.handle (/srv/portal/node_modules/router/lib/layer.js:152:17)\n        at async next (/srv/portal/node_modules/router/lib/route.js:157:13)\n        at async authorise (/srv/portal/dist/middleware/authorise.js:31:3)\n        at async Layer.handle (/srv/portal/node_modules/router/lib/layer.js:152:17)\n        at async loadBasket (/srv/portal/dist/middleware/basket.js:19:3)\n        at async requestContext (/srv/portal/dist/middleware/context.js:44:3)\n    Caused by: QueryTimeoutError: canceling statement due to statement timeout after 60000 ms\n        at Parser.parseErrorMessage (/srv/portal/node_modules/pg-protocol/dist/parser.js:285:98)\n        at Parser.handlePacket (/srv/portal/node_modules/pg-protocol/dist/parser.js:122:29)\n        at Parser.parse (/srv/portal/node_modules/pg-protocol/dist/parser.js:35:38)\n        at TLSSocket.<anonymous> (/srv/portal/node_modules/pg-protocol/dist/index.js:11:42)\n        at TLSSocket.emit (node:events:519:28)\n        at addChunk (node:internal/streams/readable:561:12)\n        at readableAddChunkPushByteMode (node:internal/streams/readable:512:3)\n        at Readable.push (node:internal/streams/readable:392:5)\n        at TLSWrap.onStreamRead (node:internal/stream_base_commons:189:23)\n    Statement: select price, currency, valid_from from price_conditions where customer_no = $1\n               and article_no = $2 and valid_from <= $3 order by valid_from desc limit 1\n    Parameters: [\"100482\", \"00471100\", \"(date)\"]\n    Line: 163 of 231, elapsed 60.004 s\n    Request: 7f3b0c1e-52d4  Portal: 7.15.1  Node: orders-app-02\n\nRegards,\nOwen",
    "steps": [
      {
        "after": "19 minutes",
        "by": "priya.raman@acme.example",
        "say": "Hello Owen, the technical details are worth gold, thank you. The conversion looks up each price one by one and gives up after 60 seconds, at line 163 in your case. Please don't try again for now, each attempt leaves a half-finished basket. I'll convert Q-118204 here and come back to you.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "priya.raman@acme.example"
        }
      },
      {
        "after": "2 hours 20 minutes",
        "by": "priya.raman@acme.example",
        "say": "Each price lookup takes 370 ms because the index on price_conditions (customer_no, article_no, valid_from) is missing since the table was rebuilt for the new price list. @Lukas please create it concurrently on the production database.",
        "visibility": "internal"
      },
      {
        "after": "1 hour 45 minutes",
        "by": "lukas.novak@acme.example",
        "say": "Index created, 4.1 GB table, took 11 minutes. Lookup went from 370 ms to 0.2 ms.",
        "visibility": "internal"
      },
      {
        "after": "25 minutes",
        "by": "priya.raman@acme.example",
        "say": "Q-118204 is now order 2260751 with all 231 lines, please check it in the portal. The cause was a missing database index after the price list was rebuilt: each of the 231 price lookups took a third of a second and together they hit the time limit. With the index in place the same conversion takes under two seconds. We removed your two half-finished baskets.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      }
    ]
  },
  {
    "requester": "sabine.krueger@acme.example",
    "service": "VPN and remote access",
    "team": "Service Desk",
    "assignee": null,
    "priority": "normal",
    "subject": "VPN bricht seit dem Windows-Update bei jedem Standby ab",
    "tags": ["vpn", "windows update"],
    "channel": "mail",
    "age": "2 days 1 hour 25 minutes",
    "body": "Guten Tag,\n\nseit dem letzten Windows-Update (KB5063878) trennt sich die VPN-Verbindung, sobald mein Notebook in den Standby geht, und lässt sich danach nicht wieder aufbauen. Es kommt die Meldung \"Der virtuelle Netzwerkadapter wurde nicht gefunden (Fehler 2738)\". Erst nach einem kompletten Neustart geht es wieder.\n\nVor dem Update konnte ich den Deckel zuklappen und zu Hause einfach weiterarbeiten. Gerät: ACM-LT-2291, VPN-Client 5.3.0.\n\nViele Grüße\nSabine Krüger",
    "steps": [
      {
        "after": "1 hour 2 minutes",
        "by": "agent@acme.example",
        "say": "Guten Tag Frau Krüger,\n\ndanke für die genaue Fehlernummer. Der virtuelle Adapter wird nach dem Standby offenbar nicht wieder gestartet. Als Übergangslösung hilft meist: VPN vor dem Zuklappen trennen. Ich gebe den Fall an die Infrastruktur weiter, die den Treiber prüft.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@acme.example"
        }
      },
      {
        "after": "12 minutes",
        "by": "agent@acme.example",
        "say": "Third laptop with KB5063878 and error 2738 after standby. Network adapter has \"Allow the computer to turn off this device\" ticked again, the update seems to reset it. Could be pushed by policy instead of touching each machine.",
        "visibility": "internal",
        "set": {
          "team": "Infrastructure",
          "assignee": "lukas.novak@acme.example"
        }
      },
      {
        "after": "21 hours",
        "by": "lukas.novak@acme.example",
        "say": "Hallo Frau Krüger,\n\ndas Update hat die Energieverwaltung des VPN-Adapters zurückgesetzt: Windows schaltet ihn im Standby ab und findet ihn danach nicht mehr. Ich habe eine Richtlinie vorbereitet, die das verhindert. Sie läuft zunächst auf fünf Testgeräten, Ihres ist dabei. Bitte einmal neu starten und morgen kurz berichten, ob der Standby wieder funktioniert.",
        "visibility": "public"
      },
      {
        "after": "22 hours",
        "by": "sabine.krueger@acme.example",
        "say": "Guten Morgen, seit dem Neustart zweimal im Standby gewesen: einmal ging es, einmal kam wieder Fehler 2738. Es ist also besser, aber noch nicht gut. Das Protokoll schicke ich Ihnen gern, wenn Sie mir sagen, wo ich es finde.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "customer@acme.example",
    "service": "Accounts and passwords",
    "team": "Service Desk",
    "assignee": null,
    "priority": "normal",
    "subject": "Authenticator codes rejected after moving to a new phone",
    "channel": "portal",
    "age": "1 day 2 hours 30 minutes",
    "body": "I have a new company phone and moved the authenticator app over with the phone's own backup. The entry \"Acme\" is there and shows six digits, but the login page says \"Code incorrect\" every time. The old phone has already been handed in and wiped. I didn't write down the recovery codes, sorry.\n\nI am still signed in on my laptop, so I can work until it asks again.",
    "steps": [
      {
        "after": "33 minutes",
        "by": "agent@acme.example",
        "say": "Hi Jonas,\n\nthe phone backup copies the name of the entry but not its secret, so the digits come from nowhere in particular. I can remove the old authenticator and you scan a new code, which takes two minutes.\n\nBecause that switches off the second factor for a moment, I need to be sure it is you.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@acme.example"
        }
      },
      {
        "after": "2 minutes",
        "by": "agent@acme.example",
        "say": "Please come by at the Service Desk (building A, ground floor) with your badge, or have your team lead confirm by replying to this ticket from their own account. Please don't sign out of the laptop until then.",
        "visibility": "public",
        "set": {
          "status": "pending"
        }
      }
    ]
  },
  {
    "requester": "owen.hughes@tidewater-marine.example",
    "service": "Customer order portal",
    "team": "Customer Orders",
    "assignee": null,
    "priority": "normal",
    "subject": "CSV export drops the leading zeros of article numbers",
    "channel": "portal",
    "age": "18 hours 15 minutes",
    "body": "Hi, in the CSV export of our order history article numbers such as 00471100 arrive as 471100. Our stock system then can't match them. It's only the numbers that consist of digits alone; SK-80 and the like are fine.\n\nWas this changed on your side recently?",
    "steps": [
      {
        "after": "44 minutes",
        "by": "priya.raman@acme.example",
        "say": "Hello Owen,\n\nI looked at the raw file for your last export: it contains \"00471100\" with the zeros and in quotes, so the zeros are lost when the file is opened. Excel turns everything that looks like a number into one.\n\nCould you tell me how the file gets into your stock system? If someone opens and saves it in Excel first, please try the \"XLSX\" button next to \"CSV\", there the column is marked as text. If the CSV is imported directly, please send me the first ten lines as your system shows them.",
        "visibility": "public",
        "set": {
          "status": "pending",
          "assignee": "priya.raman@acme.example"
        }
      }
    ]
  },
  {
    "requester": "customer@acme.example",
    "service": "Printing and label printers",
    "team": "Infrastructure",
    "assignee": null,
    "priority": "urgent",
    "subject": "Shipping printer queue stuck again, 40 delivery notes waiting",
    "channel": "portal",
    "age": "6 hours 20 minutes",
    "body": "Queue on PRN-SHIP-01 is stuck. 40 delivery notes waiting, the first job says \"Error - Printing\" and can't be deleted. Two trucks are at the ramp and the drivers can't leave without papers!\n\nAlready tried: printer off and on, other paper tray, cancel from my PC (access denied).",
    "steps": [
      {
        "after": "5 minutes",
        "by": "lukas.novak@acme.example",
        "say": "On it. As a first aid I am redirecting PRN-SHIP-01 to the printer in the shipping office (PRN-SHIP-03), your 40 notes will come out there within the next two minutes. Please send the drivers' papers first.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "lukas.novak@acme.example"
        }
      },
      {
        "after": "18 minutes",
        "by": "customer@acme.example",
        "say": "They come out in the office, thank you!! Trucks are loading. We still need the printer at the ramp though, the office is 80 metres away and on another floor.",
        "visibility": "public"
      },
      {
        "after": "55 minutes",
        "by": "lukas.novak@acme.example",
        "say": "Same splwow64 crash 0xc0000409 as in hall 3 some weeks ago: PRN-SHIP-01 was rebuilt two weeks ago and got driver 6.7 from the default package. Rolling back to 6.5 and isolating the queue. Why is 6.7 still in the package? @Miriam, please take it out of the software catalogue.",
        "visibility": "internal"
      },
      {
        "after": "1 hour 30 minutes",
        "by": "agent@acme.example",
        "say": "6.7 removed from the catalogue, replaced by 6.5. Four other queues got it since: PRN-HALL1-04, PRN-HALL2-01, PRN-QA-02, PRN-SHIP-02. List is with Lukas.",
        "visibility": "internal"
      }
    ]
  },
  {
    "requester": "customer@acme.example",
    "service": "VPN and remote access",
    "team": "Service Desk",
    "assignee": null,
    "priority": "high",
    "subject": "VPN tunnel drops again after last night's update",
    "tags": ["vpn", "client update"],
    "channel": "portal",
    "age": "5 hours 10 minutes",
    "body": "Hi, me again with the VPN.\n\nThe client updated last night to 5.3.0 and it drops again, this time every 25 to 30 minutes, not every ten. Same message: \"Tunnel lost, reason: peer not responding\". I am at home the whole week because of the renovation in building B, so without VPN I can't run the MRP for hall 2.\n\nTwo colleagues in planning see the same thing.",
    "steps": [
      {
        "after": "11 minutes",
        "by": "agent@acme.example",
        "say": "Hi Jonas, sorry that this is back. I remember your case with 5.2.1 well, that was the key renewal interval on the gateway.\n\nPlease send me the client log again (Diagnostics > Save log). And one question: are your two colleagues on the same home provider, or only on the same client version?",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@acme.example"
        }
      },
      {
        "after": "27 minutes",
        "by": "customer@acme.example",
        "say": "Different providers, same client version 5.3.0. Log:\n\n    [1741.007] dtls: rekey start, proposal=AES-256-GCM/X25519\n    [1741.522] dtls: rekey failed: NO_PROPOSAL_CHOSEN\n    [1744.530] tunnel: PEER_DEAD vpn-gw02.acme.example:443 -> state=RECONNECT\n\nIt is always gw02, never gw01, if that helps. If I connect to gw01 by hand it stays up.",
        "visibility": "public"
      },
      {
        "after": "19 minutes",
        "by": "agent@acme.example",
        "say": "@Lukas it is only vpn-gw02. The first handshake works, the rekey is refused with NO_PROPOSAL_CHOSEN. Did gw02 miss the cipher policy change in the last maintenance window? Workaround for users: pick vpn-gw01 in the drop-down.",
        "visibility": "internal",
        "set": {
          "team": "Infrastructure",
          "assignee": "lukas.novak@acme.example"
        }
      },
      {
        "after": "1 hour 15 minutes",
        "by": "lukas.novak@acme.example",
        "say": "gw02 runs policy revision 41, gw01 has 43. The sync job has been failing silently because its service account password expired. Sync is repaired, policy push needs a restart of the DTLS service on gw02: 60 people are connected, I do it at the next break.",
        "visibility": "internal"
      },
      {
        "after": "8 minutes",
        "by": "lukas.novak@acme.example",
        "say": "Jonas, your observation about gw02 was exactly right. It runs an older cipher policy than gw01 and refuses the key renewal of the new client. Please stay on vpn-gw01 until I report back here. I will restart gw02 with the right policy at the next break and then ask you to test.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "customer@acme.example",
    "by": "agent@acme.example",
    "service": "Shipping labels and EDI",
    "team": "Customer Orders",
    "assignee": null,
    "priority": "normal",
    "subject": "Tracking numbers are not written back to the orders",
    "tags": ["label api"],
    "channel": "desk",
    "age": "3 hours 40 minutes",
    "body": "(Taken by phone, for Jonas) Since the start of the shift, shipped orders have no tracking number in the portal, the field stays empty. The labels themselves print and the parcels do leave. Customers call and ask where their parcel is. About 60 orders so far.",
    "steps": [
      {
        "after": "16 minutes",
        "by": "agent@acme.example",
        "say": "Looked quickly: the carrier's callback to labels.acme.example/callbacks/tracking gets a 401, so it is probably the token that was to be rotated today. That is for Customer Orders, not for us. Left unassigned for whoever is on duty there.",
        "visibility": "internal"
      }
    ]
  },
  {
    "requester": "customer@acme.example",
    "service": "Workplace and devices",
    "team": "Service Desk",
    "assignee": null,
    "priority": "normal",
    "subject": "CAD workstation freezes when opening large assemblies",
    "channel": "portal",
    "age": "2 hours 25 minutes",
    "body": "Since the graphics driver update my CAD workstation (ACM-WS-0088) freezes for one or two minutes each time I open the gearbox assembly 😩 The mouse moves, everything else is stuck. Then it continues as if nothing had happened 🤷\n\nIt's about 4,200 parts, but last week it opened in 20 seconds ☕ and now I can really go for a coffee each time. Smaller assemblies are fine 👍",
    "steps": [
      {
        "after": "26 minutes",
        "by": "agent@acme.example",
        "say": "Hi Jonas, not every update is an improvement. Which driver version do you see under Help > System information in the CAD program? And please look at Task Manager > Performance during a freeze: is it the GPU memory or the network that is at 100 %?",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@acme.example"
        }
      },
      {
        "after": "21 minutes",
        "by": "customer@acme.example",
        "say": "Driver 572.83, GPU memory 7.9 of 8 GB and then \"shared GPU memory\" climbs to 11 GB while it hangs 📈 Network nearly zero.",
        "visibility": "public"
      },
      {
        "after": "33 minutes",
        "by": "agent@acme.example",
        "say": "With the old 553 branch the assembly stayed at 6.1 GB on WS-0091. 572.83 isn't certified for our CAD release. Lukas, may I roll back on this one machine or do you want to do the whole CAD group?",
        "visibility": "internal"
      }
    ]
  },
  {
    "requester": "customer@acme.example",
    "service": "Shipping labels and EDI",
    "team": "Customer Orders",
    "assignee": null,
    "priority": "urgent",
    "subject": "Label API 502 Bad Gateway, packing line 2 has stopped",
    "tags": ["label api", "production stop"],
    "channel": "portal",
    "age": "1 hour 5 minutes",
    "body": "Packing line 2 stands still. Every label request ends with \"Label service: HTTP 502 Bad Gateway\", this time also for parcels within Germany. Line 1 still prints, but slowly, every third attempt.\n\nStarted about 15 minutes ago. Around 200 parcels have to be out today.",
    "steps": [
      {
        "after": "4 minutes",
        "by": "priya.raman@acme.example",
        "say": "Seen, working on it now. Please let line 1 go on and move the express parcels there. I'll write every 20 minutes, also when there is nothing new.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "priya.raman@acme.example"
        }
      },
      {
        "after": "9 minutes",
        "by": "priya.raman@acme.example",
        "say": "labels-app-02 is out of memory and restarts in a loop, labels-app-01 takes everything and times out:\n\n    labels-app-02 kernel: Out of memory: Killed process 2177 (node) total-vm:6291456kB\n    labels-app-02 systemd[1]: labels.service: Scheduled restart job, restart counter is at 14.\n\n@Lukas can you give it memory or take it out of the balancer?",
        "visibility": "internal"
      },
      {
        "after": "11 minutes",
        "by": "lukas.novak@acme.example",
        "say": "Taken out of the balancer, 01 got 8 GB. Line 1 should be fast again. 02: a PDF cache without a limit since release 3.4, heap dump saved under /var/dumps.",
        "visibility": "internal"
      },
      {
        "after": "3 minutes",
        "by": "priya.raman@acme.example",
        "say": "Status: one of the two label servers is out of service, the other one has been reinforced and answers in under a second again. Please restart the print client at line 2 and try. I'll stay on this until both servers are back.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "sabine.krueger@acme.example",
    "service": "Printing and label printers",
    "team": "Infrastructure",
    "assignee": null,
    "priority": "low",
    "subject": "Printer on the second floor prints pages of strange symbols",
    "tags": ["printer driver"],
    "channel": "portal",
    "age": "52 minutes",
    "body": "When I print the monthly report to PRN-B2-05, it produces page after page with one line of symbols each, something like \"%-12345X@PJL SET RESOLUTION=600\" at the top and then only boxes and hearts. I stopped it after 30 pages.\n\nFrom Word it prints normally. It only happens with the PDF from the reporting system.",
    "steps": [
      {
        "after": "14 minutes",
        "by": "sabine.krueger@acme.example",
        "say": "A colleague has just told me that printing the same PDF from the browser instead of the PDF reader works. So there is a way around it and this can wait for tomorrow.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "sabine.krueger@acme.example",
    "service": "VPN and remote access",
    "team": "Service Desk",
    "assignee": null,
    "priority": "normal",
    "subject": "VPN connects but SAP and the file shares are unreachable",
    "tags": ["vpn"],
    "channel": "portal",
    "age": "35 minutes",
    "body": "The VPN says \"Connected\" with the green icon, but SAP GUI answers \"partner 'sap-prd.acme.example:3200' not reached\" and \\\\fs01\\controlling can't be opened. The intranet page does load.\n\nI am working from a hotel today. At home it worked yesterday evening with the same laptop. I have already restarted and tried the mobile hotspot: with the hotspot everything works.",
    "steps": [
      {
        "after": "9 minutes",
        "by": "sabine.krueger@acme.example",
        "say": "Addition, since I found it in the client: my address inside the hotel is 10.20.4.117. Isn't that the same range as our plant network? Perhaps that is the reason.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "owen.hughes@tidewater-marine.example",
    "service": "Accounts and passwords",
    "team": "Service Desk",
    "assignee": null,
    "priority": "normal",
    "subject": "Password reset mail never arrives",
    "tags": ["mail delivery"],
    "channel": "mail",
    "age": "20 minutes",
    "body": "Hello,\n\nI've requested a password reset for the order portal three times in the last half hour and no mail has arrived. Not in junk either. Order confirmations from orders@acme.example come through without any trouble, so our mail server does accept mail from you.\n\nCould you check whether it's being sent at all? The account is owen.hughes@tidewater-marine.example.\n\nOwen",
    "steps": [
      {
        "after": "6 minutes",
        "by": "owen.hughes@tidewater-marine.example",
        "say": "Our IT has just looked at the gateway log: a message from noreply@portal.acme.example was rejected with\n\n    550 5.7.26 Unauthenticated mail: SPF and DKIM checks failed for portal.acme.example\n\nso it does leave your side. It's the reset sender only, the orders address is fine.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "fiona.marsh@tidewater-marine.example",
    "service": "Accounts and passwords",
    "team": "Service Desk",
    "assignee": null,
    "priority": "normal",
    "subject": "No reset mail for the order portal",
    "channel": "portal",
    "age": "12 minutes",
    "body": "Hi, I'm trying to reset my portal password and nothing comes through. Owen sits next to me and has the same problem, so perhaps you know about it already. My password is not urgent, but I have an order to confirm by four.",
    "steps": []
  }
]
$story$::jsonb);
