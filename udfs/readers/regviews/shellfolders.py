"""Names of the folders that Windows knows by a GUID: known folders, folders of the shell, items of the control panel.

Facts, not code: the identifiers and the names of libyal's libfwsi (which prints them for shell items) and of
Microsoft's list of KNOWNFOLDERIDs. Where the shell shows a folder under another name than its class has, it is that
name ("Users Files", "Quick access").
"""

from __future__ import annotations

from functools import cache

_NAMES = """\
5e6c858f-0e22-4760-9afe-ea3317b67173 %USERNAME%
9b74b6a3-0dfd-4f11-9e78-5f7800f2e772 %USERNAME%
0db7e03f-fc29-4dc6-9020-ff41b59e513a 3D Objects
31c0dd25-9439-4f12-bf41-7ff4eda38722 3D Objects
008ca0b1-55b4-4c56-b8a8-4de4b299d3be Account Pictures
bb64f8a7-bee7-4e1a-ab8d-7d8273f7fdb6 Action Center CPL
88c6c381-2e85-11d0-94de-444553540000 ActiveX Cache Folder
d4480a50-ba28-11d1-8e75-00c04fa31a86 Add Network Place
7a979262-40ce-46ff-aeee-7884ac3b6136 Add New Hardware
724ef170-a42d-4fef-9f26-b60e846fba4f Administrative Tools
d0384e7d-bac3-4797-8f14-cba229b392b5 Administrative Tools
d20ea4e1-3957-11d2-a40b-0c5020524153 Administrative Tools
ed7ba470-8e54-465e-825c-99712043e01c All Tasks
f90c627b-7280-45db-bc26-cce7bdd620a4 All Tasks
b2c5e279-7add-439f-b28c-c41fe1bbf672 AppDataDesktop
7be16610-1f7f-44ac-bff0-83e15f2ffca1 AppDataDocuments
7cfbefbc-de1f-45aa-b843-a542ac536cc9 AppDataFavorites
559d40a3-a036-40fa-af61-84cb430a4d34 AppDataProgramData
a3918781-e5f2-4890-b3d9-a7e54332328c Application Shortcuts
c57a6066-66a3-4d91-9eb9-41532179f0a5 Application Suggested Locations
1e87508d-89c2-42f0-8a7e-645a0f50ca58 Applications
4234d49b-0245-4df3-b780-3893943456e1 Applications
7ad67899-66af-43ba-9156-6aad42e6c596 AppMods
9c60de1e-e5fc-40f4-a487-460851a8d915 AutoPlay
b98a2bea-7d42-4558-8bd1-832f41bac6fd Backup And Restore
335a31dd-f04b-4d76-a925-d6b47cf360df Backup and Restore Center
0142e4d0-fb7a-11dc-ba4a-000ffe7ab428 Biometrics
28803f59-3a75-4058-995f-4ee5503b023c Bluetooth Devices
4a8fcd9f-623c-4283-96f0-10f41846a98a Box Sync
85bbd920-42a0-1069-a2e4-08002b30309d Briefcase
0cd7a5c0-9f37-11ce-ae65-08002b2e1262 Cabinet File
767e6811-49cb-4273-87c2-20f355e1085b Camera Roll
ab5fb87b-7ce2-4f83-915d-550846c9537b Camera Roll
2b20df75-1eda-4039-8097-38798227d5b7 CameraRollLibrary
edc0fe71-98d8-4f4a-b920-c8dc133cb165 Captures
78cb147a-98ea-4aa6-b0df-c8681f69341c CardSpace
b2c761c6-29bc-4f19-9251-e6195265baf1 Color Management
437ff9c0-a07f-4fa0-af80-84b6c6440a16 Command Folder
6365d5a7-0f0d-45e5-87f6-0da56b6a4f7d Common Files
de974d24-d9c6-4d3e-bf91-f4455120b917 Common Files
f7f1ed05-9f6d-47a2-aaae-29d317c6f066 Common Files
d34a6ca6-62c2-4c34-8a7c-14709c1ad938 Common Places FS Folder
a440879f-87a0-4f7d-b700-0207b966194a Common Start Menu Places
98f2ab62-0e29-4e4c-8ee7-b542e66740b1 Company Settings Sync
e88dcce0-b7b3-11d1-a9f0-00aa0060fa31 Compressed Folder
80213e82-bcfd-4c4f-8817-bb27601267a9 Compressed Folder (zip folder)
0ac0837c-bbf8-452a-850d-79d08e667ca7 Computer
b155bdf8-02f0-451e-9a26-ae317cfd7779 Computer (delegate folder)
1f4de370-d627-11d1-ba4f-00a0c91eedba Computer Search Results Folder
3c5c43a3-9ce9-4a9b-9699-2ac0cf6cc4bf Configure Wireless Network
4bfefb45-347d-4006-a5be-ac0cb0567192 Conflicts
56784854-c6cb-462b-8169-88e350acb882 Contacts
de2b70ec-9bf7-4a93-bd3d-243f7881d492 Contacts
21ec2020-3aea-1069-a2dd-08002b30309d Control Panel
26ee0668-a00a-44d7-9371-beb064c98683 Control Panel
82a74aeb-aeb4-465c-a014-d097ee346d63 Control Panel
5399e694-6ce5-4d6c-8fce-1d8870fdcba0 Control Panel command object for Start menu and desktop
2b0f765d-c0e9-4171-908e-08a611b84ff6 Cookies
1206f5f1-0569-412c-8fec-3204630dfb70 Credential Manager
915221fb-9efe-4bda-8fd7-f78dca774f87 CredentialManager
b88f4daa-e7bd-49a9-b74d-02885a5dc765 CryptoKeys
e2e7934b-dce5-43c4-9576-7fe4f75e7480 Date and Time
b2952b16-0e07-4e5a-b993-58c52cb94cae DB Folder
00c6d95f-329c-409a-81d7-c46c66ea7f33 Default Location
e44e5d18-0652-4508-a4e2-8a090067bcb0 Default Programs
00021400-0000-0000-c000-000000000046 Desktop
b4bfcc3a-db2c-424c-b029-7fe99a87c641 Desktop
dbe8e08e-3053-4bbc-b183-2a7b2b191e59 Development Files
a8a91a66-3a7d-4424-8d24-04e180695c7a Device Center
c2b136e2-d50e-405c-8784-363c582bf43e Device Center Initialization
74246bfc-4c96-11d0-abef-0020af6b0b7a Device Manager
5ce4a5e9-e4eb-479d-b89f-130c02886155 DeviceMetadataStore
aee2420f-d50e-405c-8784-363c582bf45a DevicePairingFolder Initialization
992cffa0-f557-101a-88ec-00dd010ccc48 Dial-Up Networking
fe1290f0-cfbd-11cf-a330-00aa00c16e65 Directory
c555438b-3c23-4769-a71f-b6d3d9b6053a Display
d2035edf-75cb-4ef1-95a7-410d9ee17170 DLNA Content Directory Data Source
289af617-1cc3-42a6-926c-e6a863f0e3ba DLNA Media Servers Data Source
24d89e24-2f19-4534-9dde-6a6671fbb8fe Documents
7b0db17d-9cd2-4a93-9733-46cc89022e7c Documents
7d49d726-3c21-4f05-99aa-fdc2c9474656 Documents
a8cdff1c-4878-43be-b5fd-f8091c1c60d0 Documents
d3162b92-9365-467a-956b-92703aca08af Documents
fdd39ad0-238f-46af-adb4-6c85480369c7 Documents
3f98a740-839c-4af7-8c36-5badfb33d5fd Documents library
fbb3477e-c9e4-4b3b-a2ba-d3f5d3cd46f9 Documents Library
36011842-dccc-40fe-aa3d-6177ea401788 Documents Search Results
088e3905-0323-4b02-9826-5d99428e115f Downloads
374de290-123f-4565-9164-39c4925e467b Downloads
10c07cd0-ef91-4567-b850-448b77cb37f9 DpapiKeys
e31ea727-12ed-4702-820c-4b6445f28e1a Dropbox
8fd8b88d-30e1-4f25-ac2b-553d3d65f0ea DXP
2559a1f5-21d7-11d4-bdaf-00c04f60b9f0 E-mail
d555645e-d4f8-4c29-a827-d93c859c4f2a Ease of Access
ecdb0924-4208-451e-8ee0-373c0956de16 ECS
9113a02d-00a3-46b9-bc5f-9c04daddd5d7 Enhanced Storage Data Source
418c8b64-5463-461d-88e0-75e2afa3c6fa Explorer Browser Results Folder
692f0339-cbaa-47e6-b5b5-3b84db604e87 Extensions Manager Folder
1777f761-68ad-4d8a-87bd-30b759fa33dd Favorites
323ca680-c24d-4099-b94d-446dd2d7249e Favorites
8343457c-8703-410f-ba8b-8b026e431743 Feedback Tool
877ca5ac-cb41-4842-9c69-9136e42d47e2 File Backup Index
52205fd8-5dfb-447d-801a-d0b52f2e83e1 File Explorer
2f6ce85c-f9ee-43ca-90c7-8a9bd53a2467 File History Data Source
6dfd7c5c-2451-11d3-a299-00c04f8ef6af Folder Options
0afaced1-e828-11d1-9187-b532f1e9575d Folder Shortcut
bd84b380-8ca2-1069-ab1d-08000948f534 Font Folder
93412589-74d4-4e4e-ad0e-e0cb621440fd Font Settings
d20ea4e1-3957-11d2-a40b-0c5020524152 Fonts
fd228cb7-ae11-4ae3-864c-16f3910ab8fe Fonts
3936e9e4-d92c-4eee-a85a-bc16d5ea0819 Frequent Places Folder
1d2680c9-0e2a-469d-b787-065558bc7d43 Fusion Cache
7b396e54-9ec5-4300-be0a-2482ebae1a26 Gadgets
a75d362e-50fc-4fb7-ac2c-a8beaa314493 Gadgets
e88865ea-0e1c-4e20-9aa6-edcd0212c87c Gallery
259ef4b1-e6c9-4176-b574-481532c9bce8 Game Controllers
054fae61-4dd8-4787-80b6-090220c4b700 GameExplorer
debf2536-e1a8-4c59-b6a2-414586476aea GameExplorer
cac52c1a-b53d-4edc-92d7-6b2e8ac19434 Games
ed228fdf-9ea8-4870-83b1-96b02cfe0d52 Games Explorer
b689b0d0-76d3-4cbb-87f7-585d0e0ce070 Games folder
de61d971-5ebc-4f02-a3a9-6c82895e5c04 Get Programs
3e7efb4c-faf1-453d-89eb-56026875ef90 Get Programs Online
2559a1f1-21d7-11d4-bdaf-00c04f60b9f0 Help and Support
5fcd4425-ca3a-48f4-a57c-b8a75c32acb1 Hewlett-Packard Recovery (Protect.dll)
00028b00-0000-0000-c000-000000000046 History
0d4c3db6-03a3-462f-a0e6-08924c41b5d4 History
3dc7a020-0acd-11cf-a9bb-00aa004ae837 History
88667d10-10f0-11d0-8150-00aa00bf8457 History
d9dc8a3b-b784-432e-a781-5a1130a75963 History
ff393560-c2a7-11cf-bff4-444553540000 History
f6b6e965-e9b2-444b-9286-10c9152edbc5 History Vault
52528a6b-b9e3-4add-b60d-588c2dba842d Homegroup
67ca7650-96e6-4fdd-bb43-a8e774f73a57 HomeGroup Control Panel
0907616e-f5e6-48d8-9d61-a91c3d28106d Hyper-V Remote File Browsing
bcb5256f-79f6-4cee-b725-dc34e402fd46 ImplicitAppShortcuts
00020d75-0000-0000-c000-000000000046 Inbox
00020d76-0000-0000-c000-000000000046 Inbox
87d66a43-7b11-4a28-9811-c86ee395acf7 Indexing Options
a0275511-0e86-4eca-97c2-ecd8f1221d08 Infrared
15eae92e-f17a-4431-9f28-805e482dafd4 Install New Programs
a305ce99-f527-492b-8b1a-7e76fa98d6e4 Installed Updates
d450a8a1-9568-45c7-9c0e-b4f9fb4537bd Installed Updates
2559a1f4-21d7-11d4-bdaf-00c04f60b9f0 Internet
871c5380-42a0-1069-a2ea-08002b30309d Internet Explorer
fbf23b42-e3f0-101b-8488-00aa003e56f8 Internet Explorer
11016101-e366-4d22-bc06-4ada335c892b Internet Explorer History and Feeds Shell Data Source for Windows Search
9a096bb5-9dc3-4d1c-8526-c3cbf991ea4e Internet Explorer RSS Feeds Folder
a3dd4f92-658a-410f-84fd-6fbbbef2fffe Internet Options
a304259d-52b8-4526-8b1a-a1d6cecc8243 iSCSI Initiator
725be8f7-668e-4c7b-8f90-46bdb0936430 Keyboard
bf782cc9-5a52-4a17-806c-2a894ffeeac5 Language Settings
328b0346-7eaf-4bbe-a479-7cb88a095f5b Layout Folder
031e4825-7b94-4dc3-b131-e946b44c8dd5 Libraries
1b3ea5dc-b587-4786-b4ef-bd1dc332aeae Libraries
48daf80b-e6cf-4f4e-b800-0e69d84ee384 Libraries
a302545d-deff-464b-abe8-61c8648d939b Libraries
896664f7-12e1-490f-8782-c0835afd98fc Libraries Users Files Folder (delegate folder)
a5a3563a-5755-4a6f-854e-afa3230b199f Library Folder
bfb9d5e0-c6a9-404c-b2b2-ae6db6af4968 Links
b2b4a4d1-2754-4140-a2eb-9a76d9d7cdc6 Linux
f1b32785-6fba-4fcf-9d55-7b8e7f157091 Local
f42ee2d3-909f-4907-8871-4c22fc0bf756 Local Documents
7d83ee9b-2244-4e70-b1f5-5393042af1e4 Local Downloads
a0c69a99-21c8-4671-8703-7934162fcf1d Local Music
0ddd015d-b06c-45d5-8c4c-f59713854639 Local Pictures
35286a68-3c57-41a1-bbb1-0eae73d76c95 Local Videos
a520a1a4-1780-4ff6-bd18-167343c5af16 LocalLow
267cf8a9-f4e3-41e6-95b1-af881be130ff Location Folder
1fa9085f-25a2-489b-85d4-86326eedcd87 Manage Wireless Networks
a5e46e3a-8849-11d1-9d8c-00c04fc99d61 Microsoft Browser Architecture
bc476f4c-d9d7-4100-8d4e-e043f6dec409 Microsoft Browser Architecture
63da6ec0-2e98-11cf-8d82-444553540000 Microsoft FTP Folder
89d83576-6bd1-4c86-9454-beb04e94c819 Microsoft Office Outlook
98ec0e18-2098-4d44-8644-66979315a281 Microsoft Office Outlook
0875dcb6-c686-4243-9432-adccf0b9f2d7 Microsoft OneNote Namespace Extension for Windows Desktop Search
87630419-6216-4ff8-a1f0-143562d16d5c Mobile Broadband Profile Settings Editor
5ea4f148-308c-46d7-98a9-49041b1dd468 Mobility Center
6c8eec18-8d75-41b2-a177-8831d59d2d50 Mouse
42254ee9-e625-4065-8f70-775090256f72 MS Graph Recent File Folder
1cf1260c-4dd0-4ebb-811f-33c572699fde Music
2112ab0a-c86a-4ffe-a368-0de96e47012e Music
3dfdf296-dbec-4fb4-81d1-6a3438bcf4de Music
4bd8d571-6d19-48d3-be97-422220080e43 Music
94d6ddcc-4a68-4175-a374-bd584a510b78 Music
3f2a72a7-99fa-4ddb-a5a8-c604edf61d6b Music Library
978e0ed7-92d6-4cec-9b59-3135b9c49ccf Music library
71689ac1-cc88-45d0-8a22-2943c3e7dfb3 Music Search Results
20d04fe0-3aea-1069-a2d8-08002b30309d My Computer
450d8fba-ad25-11d0-98a8-0800361b1103 My Documents
208d2c60-3aea-1069-a2d7-08002b30309d My Network Places
fc9fb64a-1eb2-4ccf-af5e-1a497a9b5c2d My sharing folders
d20beec4-5ca8-4905-ae3b-bf251ea09b53 Network
f02c1a0d-be21-4350-88b0-7367fc96ef3c Network
8e908fc9-becc-40f6-915b-f4ca0e70d03d Network and Sharing Center
6f0cd92b-2e97-45d1-88ff-b0d186b8dedd Network Connections
7007acc7-3202-11d1-aad2-00805fc1270e Network Connections
e7de9b1a-7533-4556-9484-b26fb486475e Network Map
46137b78-0ec3-426d-8b89-ff7c3a458b5e Network Neighborhood
2728520d-1ec8-4c68-a551-316b684c4ea7 Network Setup Wizard
c5abbf53-e17f-4121-8900-86626fc2c973 Network Shortcuts
2a00375e-224c-49de-b8d1-440df7ef3ddc None
c1bae2d0-10df-4334-bedd-7aa20b227a9d OEM Links
bd7a2e7b-21cb-41b2-a086-b309680c6b7e Offline Files
d24f75aa-4f2b-4d07-a3c4-469b3d9030c4 Offline Files
ee32e446-31ca-4aba-814f-a5ebd2fd6d5e Offline Files
afdb1f70-2a4c-11d2-9039-00c04f8eeb3e Offline Files Folder
018d5c66-4533-4307-9b53-224de2ed1fe6 OneDrive
a52bba46-e9e1-435f-b3d9-28daa648c0f6 OneDrive
c3f2459e-80d6-45dc-bfef-1f769f2be730 OneDriveMusic
5fa947b5-650a-4374-8a9a-5efa4f126834 OpenDrive
2c36c0aa-5812-4b87-bfd0-4cd0dfb19b39 Original Images
6785bfac-9d2d-4be5-b7e2-59937e8fb80a Other Users Folder
b4fb3f98-c1ea-428d-a78a-d1f5659cba93 Other Users Folder
96ae8d84-a250-4520-95a5-a47a7e3c548b Parental Controls
5ed4f38c-d3ff-4d61-b506-6820320aebfe PC Settings
f82df8f7-8b9f-442e-a48c-818ea735ff9b Pen and Touch
5224f545-a443-4859-ba23-7b5a95bdc8ef People Near Me
78f3955e-3b90-4184-bd14-5397c15f1efc Performance Information and Tools
ed834ed6-4b5a-4bfe-8f11-a626dcb6a921 Personalization
40419485-c444-4567-851a-2dd7bfa1684d Phone and Modem
f0d63f85-37ec-4097-b30d-61b4a8917118 Photo Stream
24ad3ad4-a569-4530-98e1-ab02f9417aa8 Pictures
339719b5-8c47-4894-94c2-d8f77add44a6 Pictures
33e28130-4e1e-4676-835a-98395c3bc3bb Pictures
3add1653-eb32-4cb0-bbd7-dfa0abb5acca Pictures
45e8e0e8-7ae9-41ad-a9e8-594972716684 Pictures
a990ae9f-a03b-4e80-94bc-9912d7504104 Pictures
b3690e58-e961-423b-b687-386ebfd83239 Pictures folder
0b2baaeb-0042-4dca-aa4d-3ee8648d03e5 Pictures Library
c1f8339f-f312-4c97-b1c6-ecdf5910c5c0 Pictures library
4dcafe13-e6a7-4c28-be02-ca8c2126280d Pictures Search Results
de92c1c7-837f-4f69-a3bb-86e631204a23 Playlists
35786d3c-b075-49b9-88dd-029876e11c01 Portable Devices
640167b4-59b0-47a6-b335-a6b3c0695aea Portable Media Devices
8e0c279d-0bd1-43c3-9ebd-31c3dc5b8a77 Portable Workspace Creator
025a5937-a6be-4686-a844-36fe4bec8b6d Power Options
9db7a13c-f208-4981-8353-73cc61ae2783 Previous Versions
1723d66a-7a12-443e-88c7-05e1bfe79983 Previous Versions Delegate Folder
a3c3d402-e56c-4033-95f7-4885e80b0111 Previous Versions Results Delegate Folder
f8c2ab3b-17bc-41da-9758-339d7dbf2d88 Previous Versions Results Folder
9274bd8d-cfd1-41c3-b35e-b13f55a758f4 Printer Shortcuts
2227a280-3aea-1069-a2de-08002b30309d Printers
76fc4e2d-d6ad-4519-a663-37bd56068185 Printers
ed50fc29-b964-48a9-afb3-15ebb9b97f36 Printhood delegate folder
fcfeecae-ee1b-4849-ae50-685dcf7717ec Problem Reports and Solutions
6d809377-6af0-444b-8957-a3773f02200e Program Files
7c5a40ef-a0fb-4bfc-874a-c0f2e0b9fa8e Program Files
905e63b6-c1bf-494e-b29c-65b732d3d21a Program Files
62ab5d82-fdc1-4dc3-a9dd-070d1d495d97 ProgramData
0139d44e-6afe-49f2-8690-3dafcae6ffb8 Programs
5cd7aee2-2219-4a67-b85d-6c9ce15660cb Programs
a77f5d77-2e2b-44c3-a6a2-aba601054a51 Programs
bcbd3057-ca5c-4622-b42d-bc56db0ae516 Programs
7b81be6a-ce2b-4676-a29e-eb907a5126c5 Programs and Features
df7266ac-9274-4867-8d55-3bd661de872d Programs and Features
7be9d83c-a729-4d97-b5a7-1b7313c39e0a Programs Folder
865e5e76-ad83-4dca-a109-50dc2113ce9a Programs Folder and Fast Items
8060b2e3-c9d7-4a5d-8c6b-ce8eba111328 Proximity CPL
dfdf76a2-c82a-4d63-906a-5644ac457385 Public
0482af6c-08f1-4c34-8c90-e17ec98b1e17 Public Account Pictures
c4aa340d-f20f-4863-afef-f87ef2e6ba25 Public Desktop
ed4824af-dce4-45a8-81e2-fc7965083634 Public Documents
3d644c9b-1fb8-4f30-9b45-f670235f79c0 Public Downloads
4336a54d-038b-4685-ab02-99bb52d3fb8b Public Folder
3214fab5-9757-4298-bb61-92a9deaa44ff Public Music
b6ebfb86-6907-413c-9af7-4fc2abf07cc5 Public Pictures
2400183a-6185-49fb-a2d8-4a392a602ba3 Public Videos
679f85cb-0220-4080-b29b-5540cc05aab6 Quick access
52a4f021-7b75-48a9-9f6b-4b87a210bc8f Quick Launch
5e8fc967-829a-475c-93ea-51fce6d9ffce RealPlayer Cloud
0c39a5cf-1a7a-40c8-ba74-8900e6df5fcd Recent Items
ae50c081-ebd2-438a-8655-8a092e34987a Recent Items
4564b25e-30cd-4787-82ba-39e73a750b14 Recent Items Instance Folder
22877a6d-37a1-461a-91b0-dbda5aaebc99 Recent Places Folder
2f8b40c2-83ed-48ee-b383-a1f157ec6f9a Recorded Calls
1a6fdba2-f42d-4358-a798-b74d745926c5 Recorded TV
bd85e001-112e-431e-983b-7b15ac09fff1 RecordedTV
9fe63afd-59cf-4419-9775-abcc3849f861 Recovery
645ff040-5081-101b-9f08-00aa002f954e Recycle Bin
b7534046-3ecb-4c18-be4e-64cd4cb7d6ac Recycle Bin
62d8ed13-c9d0-4ce8-a914-47dd628fb1b0 Region and Language
863aa9fd-42df-457b-8e4d-0de1b8015c60 Remote Printers
f5fb2c77-0e2f-4a16-a381-3e560c68bc83 Removable Drives
a6482830-08eb-41e2-84c1-73920c2badb9 Removable Storage Devices
8ad10c31-2adb-4296-a8f7-e4701232c972 Resources
2965e715-eb66-4719-b53f-1672673bbefa Results Folder
12d4c69e-24ad-4923-be19-31321c43a767 Retail Demo
c870044b-f49e-4126-a9c3-b52a1ff411e8 Ringtones
e555ab60-153b-4d17-9f04-a5fe99fc15ec Ringtones
aaa8d5a5-f1d6-4259-baa8-78e7ef60835e RoamedTileImages
3eb685db-65f9-4cf6-a03a-e3ef65729f3d Roaming
00bcfc5a-ed94-4e48-96a1-3f6217f21990 RoamingTiles
2559a1f3-21d7-11d4-bdaf-00c04f60b9f0 Run...
b250c668-f57d-4ee1-a63c-290ee7d1aa1f Sample Music
c4900540-2379-4c75-844b-64e6faf8716b Sample Pictures
15ca69b3-30ee-49c1-ace1-6b5ec372afb5 Sample Playlists
859ead94-2e85-48ad-a71a-0969cb56a6cd Sample Videos
4c5c32ff-bb9d-43b0-b5b4-2d72e54eaaa4 Saved Games
3b193882-d3ad-4eab-965a-69829d1fb59f Saved Pictures
e25b5812-be88-4bd9-94b0-29233477b6c3 Saved Pictures Library
00f2886f-cd64-4fc9-8ec5-30ef6cdbe8c3 Scanner and Camera Control Panel
e211b736-43fd-11d1-9efb-0000f8757fcd Scanners & Cameras
fb0c9c8a-6c50-11d1-9f1d-0000f8757fcd Scanners & Cameras
d6277990-4c6a-11cf-8d87-00aa0060f5bf Scheduled Tasks
b7bede81-df94-4682-a7d8-57a52620b86f Screenshots
2559a1f0-21d7-11d4-bdaf-00c04f60b9f0 Search
72b36e70-8700-42d6-a7f7-c9ab3323ee51 Search Connector Folder
04731b67-d933-450a-90e6-4acd2e9408fe Search Folder
9343812e-1c37-4a49-a12e-4b2d810d956b Search Home
190337d1-b8ca-4121-a639-6d472d16972a Search Results
e17d4fc0-5564-11d1-83f2-00a0c90dc849 Search Results
7d1d3a04-debb-4115-95cf-2f29da2920da Searches
d9ef8727-cac2-4e60-809e-86f80a666c91 Secure Startup
9f433b7c-5f96-4ce1-ac28-aeaa1cc04d7c Security Center
8983036c-27c0-404b-8f08-102d10dcfd74 SendTo
e9950154-c418-419e-a90a-20c5287ae24b Sensors
96437431-5a90-4658-a77c-25478734f03e Server Manager
2559a1f7-21d7-11d4-bdaf-00c04f60b9f0 Set Program Access and Defaults
17cd9488-1228-4b2f-88ce-4298e93e0966 Set User Defaults
e7e4bc40-e76a-11ce-a9bb-00aa004ae837 Shell DocObject Viewer
1a9ba3a0-143a-11cf-8350-444553540000 Shell Favorite Folder
0e5aae11-a475-4c5b-ab00-c66de400274e Shell File System Folder
f3364ba0-65b9-11ce-a9ba-00aa004ae837 Shell File System Folder
4fe04bfd-85b9-49dd-b914-f4c9556b9da6 Shell File System NetFolder
e773f1af-3a65-4866-857d-846fc9c4598a Shell Storage Folder Viewer
3080f90d-d7ad-11d9-bd98-0000947b0257 Show Desktop
8e74d236-7f35-4720-b138-1fed0b85ea75 SkyDrive
69d2cf90-fc33-4fb7-9a0c-ebb0f0fcb43c Slide Shows
d5b1944e-db4e-482e-b3f1-db05827f0978 Softex OmniPass Encrypted Folder
0bd8e793-d371-11d1-b0b5-0060972919d7 SolidWorks Enterprise PDM
a5110426-177d-4e08-ab3f-785f10b4439c Sony Ericsson File Manager
f2ddfc82-8f12-4cdd-b7dc-d4fe1425aa4d Sound
58e3c745-d971-4081-9034-86e34b30836a Speech Recognition
625b53c3-ab48-4ec1-ba1f-a1ef4146fc19 Start Menu
a4115719-d62e-491d-aa7c-e74b8be3b067 Start Menu
adfa80e7-9769-4ad9-992c-55dc57e1008c Start Menu All Programs
48e7caab-b918-4e58-a94d-505519c795dc Start Menu Folder
f26305ef-6948-40b9-b255-81453d09c785 StartMenuAllPrograms
82a5ea35-d9cd-47c5-9629-e15d2f714e6e Startup
b97d20bb-f46a-4c97-ba10-5e3608430854 Startup
f3f5824c-ad58-4728-af59-a1ebe3392799 Sticky Notes Namespace Extension for Windows Desktop Search
f942c606-0914-47ab-be56-1321b8035096 Storage Spaces
edc978d6-4d53-4b2f-a265-5805674be568 Stream Backed Folder
f5175861-2688-11d0-9c5e-00aa00a45957 Subscription Folder
43668bf8-c14e-49b2-97c9-747784d784b7 Sync Center
e413d040-6788-4c22-957e-175d1c513a34 Sync Center Conflict Delegate Folder
289978ac-a101-4341-a817-21eba7fd046d Sync Center Conflict Folder
9c73f5e5-7ae7-4e32-a8e8-8d23b85255bf Sync Center Folder
289a9a43-be44-4057-a41b-587a76d7e7f9 Sync Results
bc48b32f-5910-47f5-8570-5074a8a5636a Sync Results Delegate Folder
71d99464-3b6b-475c-b241-e15883207529 Sync Results Folder
0f214138-b1d3-4a90-bba9-27cbc0c5389a Sync Setup
f1390a9a-a3f4-4e5d-9c5f-98f3bd8d935c Sync Setup Delegate Folder
2e9e59c0-b437-4981-a647-9c34b9b90891 Sync Setup Folder
bb06c0e4-d293-4f75-8a90-cb05b6477eee System
3f6bc534-dfa1-4ab4-ae54-ef25a74e0107 System Restore
1ac14e77-02e7-4e5d-b744-2eb1ae5198b7 System32
d65231b0-b2f1-4857-a4ce-a8e7c6ea7d27 System32
54eed2e0-e7ca-4fdb-9148-0f4247291cfa SystemCertificates
80f3f1d5-feca-45f3-bc32-752c152e456e Tablet PC Settings
0df44eaa-ff21-4412-828e-260a8728e7f1 Taskbar and Start Menu
05d7b0f4-2121-4eff-bf6b-ed3f69b894d9 Taskbar Notification Icons Control Panel
7e636bfe-dfa9-4d5e-b456-d7b39851d8a9 Templates
a63293e8-664e-48db-a079-df759e0509f7 Templates
b94237e7-57ac-4347-9151-b08c6c32d1f7 Templates
9e52ab10-f80d-49df-acb8-4330f5687855 Temporary Burn Folder
352481e8-33be-4251-ba85-6007caedcf9d Temporary Internet Files
7bd29e00-76c1-11cf-9dd0-00a0c9034933 Temporary Internet Files
7bd29e01-76c1-11cf-9dd0-00a0c9034933 Temporary Internet Files
d17d1d6d-cc3f-4815-8fe3-607e7d5d10b3 Text to Speech
4d9f7874-4e0c-4904-967b-40b0d20c3e4b The Internet
5b934b42-522b-4c34-bbfe-37a3ef7b9c90 This Device
f8278c54-a712-415b-b593-b77a2be0dda9 This Device
5e5f29ce-e0a8-49d3-af32-7a7bdc173478 This PC
1c2ac1dc-4358-4b6c-9733-af21156576f0 ThisDeviceFolder
754ac886-df64-4cba-86b5-f7fbf4fbcef5 ThisPCDesktopFolder
45c6afa5-2c13-402f-bc5d-45cc8172ef6b Toshiba Bluetooth Stack
708e1662-b832-42a8-bbe1-0a77121e3908 Tree property value folder
5b3749ad-b49f-49c1-83eb-15370fbd4882 TreePropertiesFolder
c58c4893-3be0-4b45-abb5-a63e4b8c8651 Troubleshooting
c291a080-b400-4e34-ae3f-3d2b9637d56c UNCFATShellFolder Class
ffffffff-ffff-ffff-ffff-ffffffffffff Unknown
60632754-c523-4b62-b45c-4172da012619 User Accounts
1f3427c8-5c10-4210-aa03-2ee45287d668 User Pinned
9e3995ab-1f9c-4f13-b827-48b24b6c7174 User Pinned
0762d272-c50a-4bb0-a382-697dcd729b80 Users
7a9d77bd-5403-11d2-8785-2e0420524153 Users and Passwords
59031a47-3f72-44a7-89c5-5595fe6b30ee Users Files
dffacdc5-679f-4156-8947-c5c76bc0b67f Users Files Folder (delegate folder)
f3ce0f7c-4901-4acc-8648-d5d44b04ef8f UsersFilesFolder
18989b1d-99b5-455b-841c-ab7c74e4ddfc Videos
491e922f-5643-4af4-a7eb-4e7a138d8174 Videos
5fa96407-7e77-483c-ac93-691d05850de8 Videos
a0953c92-50dc-43bf-be83-3742fed03c9c Videos
f86fa3ab-70d2-4fc7-9c99-fcbf05467f3a Videos
292108be-88ab-4f33-9a26-7748e62e37ad Videos library
631958a6-ad0f-4035-a745-28ac066dc6ed Videos Library
ea25fbd7-3bf7-409e-b97f-3352240903f4 Videos Search Results
38a98528-6cbf-4ca9-8dc0-b1e1d10f7b1b View Available Networks
b5947d7f-b489-4fde-9e77-23780cc610d1 Virtual Machines
bdeadf00-c265-11d0-bced-00a0c90ab50f Web Folders
b28aa736-876b-46da-b3a8-84c5e30ba492 Web sites
cb1b7f8c-c50a-4176-b604-9e24dee8d4d1 Welcome Center
3080f90e-d7ad-11d9-bd98-0000947b0257 Window Switcher
f38bf404-1d43-42f2-9305-67de0b28fc23 Windows
be122a0e-4503-11da-8bde-f66bad1e3f3a Windows Anytime Upgrade
d8559eb9-20c0-410e-beda-7ed416aecc2a Windows Defender
13e7f612-f261-4391-bea2-39df4f3fa311 Windows Desktop Search
1f43a58c-ea28-43e6-9ec4-34574a16ebb7 Windows Desktop Search MAPI Namespace Extension Class
67718415-c450-4f3c-bf8a-b487642dc39b Windows Features
4026492f-2f69-46b8-b9bf-5654fc07e423 Windows Firewall
2559a1f8-21d7-11d4-bdaf-00c04f60b9f0 Windows Search
98d99750-0b8a-4c59-9151-589053683d73 Windows Search Service Media Center Namespace Extension Handler
d426cfd0-87fc-4906-98d9-a23f5d515d61 Windows Search Service Outlook Express Protocol Handler
2559a1f2-21d7-11d4-bdaf-00c04f60b9f0 Windows Security
087da31b-0dd3-4537-8e23-64a18591f88b Windows Security Center
37efd44d-ef8d-41b1-940d-96973a50e9e0 Windows Sidebar Properties
e95a4861-d57a-4be1-ad0f-35267e261739 Windows SideShow
36eef7db-88ad-4e81-ad49-0e313f0c35f8 Windows Update
241d7c96-f8bf-4f85-b01f-e2b043341a4b Workspaces Center
09f581a3-1f64-4e5b-8db3-88f5593080cc x86 Control Panel
"""


@cache
def folder_names() -> dict[str, str]:
    """Names by GUID, in lower case and without braces; read when the first is asked for."""
    pairs = (line.split(" ", 1) for line in _NAMES.splitlines())
    return {pair[0]: pair[1] for pair in pairs}
